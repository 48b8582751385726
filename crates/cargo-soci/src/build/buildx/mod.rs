//! `docker buildx build`: the command line we give it, and ([`user`]) the one a user gives it through us.

mod csv;
pub mod user;

use std::path::{Path, PathBuf};

use soci_image::Reference;

/// What a build of ours is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Dockerfile, if not the builder's default.
    pub dockerfile: Option<PathBuf>,
    /// Context folder.
    pub context: PathBuf,
    /// Stage.
    pub target: Option<String>,
    /// Build arguments.
    pub build_args: Vec<(String, String)>,
    /// Platforms; the builder's own if empty.
    pub platforms: Vec<String>,
}

/// Where the builder is to put the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Pushed under its names.
    Push(Vec<Reference>),
    /// Pushed into the repositories of these names, without a tag: nothing names the image until it
    /// is SOCI-enabled.
    PushByDigest(Vec<Reference>),
    /// An OCI archive.
    Archive(PathBuf),
}

/// The words after `docker` for a build of ours.
pub fn words(request: &Request, output: &Output, metadata_file: &Path) -> Vec<String> {
    let mut words: Vec<String> = ["buildx", "build"].map(str::to_owned).to_vec();
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if let Some(path) = &request.dockerfile {
        flag("--file", path.display().to_string());
    }
    if let Some(target) = &request.target {
        flag("--target", target.clone());
    }
    for (name, value) in &request.build_args {
        flag("--build-arg", format!("{name}={value}"));
    }
    if !request.platforms.is_empty() {
        flag("--platform", request.platforms.join(","));
    }
    match output {
        Output::Push(names) => {
            for name in names {
                flag("--tag", name.to_string());
            }
            words.push("--push".to_owned());
        }
        Output::PushByDigest(names) => {
            let names: Vec<String> = repositories(names).iter().map(Reference::name).collect();
            let fields = [
                "type=image".to_owned(),
                format!("name={}", names.join(",")),
                "push-by-digest=true".to_owned(),
                "name-canonical=true".to_owned(),
                "push=true".to_owned(),
            ];
            flag("--output", csv::write(&fields));
        }
        Output::Archive(path) => {
            let fields = ["type=oci".to_owned(), format!("dest={}", path.display())];
            flag("--output", csv::write(&fields));
        }
    }
    words.extend(["--metadata-file".to_owned(), metadata_file.display().to_string()]);
    words.push(request.context.display().to_string());
    words
}

/// One name of each repository, in the order of their first.
pub fn repositories(names: &[Reference]) -> Vec<Reference> {
    let mut firsts: Vec<Reference> = Vec::new();
    for name in names {
        if !firsts.iter().any(|first| first.name() == name.name()) {
            firsts.push(name.clone());
        }
    }
    firsts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<Reference> {
        texts
            .iter()
            .map(|text| Reference::parse(text).expect("a reference"))
            .collect()
    }

    #[test]
    fn our_own_builds() {
        let request = Request {
            dockerfile: Some("d/Dockerfile".into()),
            context: ".".into(),
            target: Some("run".into()),
            build_args: vec![("A".into(), "1 2".into())],
            platforms: vec!["linux/amd64".into(), "linux/arm64".into()],
        };
        let tags = names(&["r.example/a:1", "r.example/a:2", "r.example/b:1"]);
        let line = |output| words(&request, &output, Path::new("m.json")).join(" ");
        assert_eq!(
            line(Output::PushByDigest(tags.clone())),
            "buildx build --file d/Dockerfile --target run --build-arg A=1 2 --platform linux/amd64,linux/arm64 \
             --output type=image,\"name=r.example/a,r.example/b\",push-by-digest=true,name-canonical=true,push=true \
             --metadata-file m.json ."
        );
        assert!(
            line(Output::Push(tags))
                .contains(" --tag r.example/a:1 --tag r.example/a:2 --tag r.example/b:1 --push ")
        );
        assert!(line(Output::Archive("x,y.tar".into())).contains(" --output type=oci,\"dest=x,y.tar\" "));
    }
}
