// The Action `convert` against a registry that speaks TLS alone, with a certificate of an authority that only
// `NODE_EXTRA_CA_CERTS` names. What the registry holds afterwards is looked at on a plain port over the same storage.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";

import { dockerRegistry, LOGIN } from "./registry.mjs";
import { action, stepOf } from "./runner.mjs";

const scratch = mkdtempSync(join(tmpdir(), "soci-convert-tls-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const file = (name) => join(scratch, name);
const openssl = (...words) => execFileSync("openssl", words, { cwd: scratch, stdio: "pipe" });
const newKey = (name) => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${name}.key`];

openssl("req", "-x509", ...newKey("authority"), "-out", "authority.pem", "-subj", "/CN=authority", "-days", "2");

/** A certificate of the authority for an address. */
function certificate(name, address) {
  openssl("req", ...newKey(name), "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  writeFileSync(file(`${name}.ext`), `subjectAltName = IP:${address}\n`);
  const authority = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"];
  openssl("x509", "-req", "-in", `${name}.csr`, ...authority, "-out", `${name}.pem`, "-days", "2", "-extfile", `${name}.ext`);
  return { certificate: file(`${name}.pem`), key: file(`${name}.key`) };
}

const plain = await dockerRegistry();
const secure = await dockerRegistry({ tls: certificate("own", "127.0.0.1"), storage: plain.storage });
const misnamed = await dockerRegistry({ tls: certificate("other", "192.0.2.1"), storage: plain.storage });

const convert = action("convert/action.yml", "wasm/convert/dist");
const TRUSTING = { HOME: scratch, NODE_EXTRA_CA_CERTS: file("authority.pem") };
const step = (image, environment) =>
  stepOf(convert, { image, ...LOGIN, "min-layer-size": "0", "span-size": "64KiB" }, environment);

test("through TLS an image becomes what it becomes without", async () => {
  const digest = await plain.putMade("app", "secure", [300_000, 200_000]);
  await plain.putManifest("app", "plain", "application/vnd.oci.image.manifest.v1+json", await plain.manifest("app", "secure"));
  const done = await step(`${secure.host}/app:secure`, TRUSTING);
  assert.equal(done.code, 0, done.stdout);
  assert.equal(done.stderr, "");
  assert.notEqual(done.outputs.digest, digest);
  assert.equal(await plain.digest("app", "secure"), done.outputs.digest);
  await plain.whole("app", "secure");
  const same = await step(`${plain.host}/app:plain`, TRUSTING);
  assert.equal(same.code, 0, same.stdout);
  assert.equal(same.outputs.digest, done.outputs.digest);
});

test("a certificate that nobody vouches for, or for another address, ends the step", async () => {
  const digest = await plain.putMade("refused", "1", [300_000]);
  const cases = [
    [secure, { HOME: scratch }, /::error title=soci::.*UNABLE_TO_VERIFY_LEAF_SIGNATURE/],
    [misnamed, TRUSTING, /::error title=soci::.*ERR_TLS_CERT_ALTNAME_INVALID/],
  ];
  for (const [registry, environment, reason] of cases) {
    const done = await step(`${registry.host}/refused:1`, environment);
    assert.equal(done.code, 1, done.stdout);
    assert.match(done.stdout, reason);
    assert.ok(!done.stdout.slice(done.stdout.indexOf("\n")).includes(LOGIN.password));
    assert.equal(await plain.digest("refused", "1"), digest);
  }
});
