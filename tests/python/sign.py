"""Signs one request with botocore and prints the Authorization field.

Reads a JSON object from stdin: url, headers, body, date (YYYYMMDDTHHMMSSZ), region, key, secret, token.
"""
import datetime
import json
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials

asked = json.load(sys.stdin)
now = datetime.datetime.strptime(asked["date"], "%Y%m%dT%H%M%SZ")


class Fixed(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return now

    @classmethod
    def now(cls, tz=None):
        return now.replace(tzinfo=tz)


# Releases differ in how they ask for the time.
botocore.auth.datetime = type("module", (), {"datetime": Fixed, "timezone": datetime.timezone})
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: now
credentials = botocore.credentials.Credentials(asked["key"], asked["secret"], asked["token"])
request = botocore.awsrequest.AWSRequest("POST", asked["url"], headers=asked["headers"], data=asked["body"])
botocore.auth.SigV4Auth(credentials, "ecr", asked["region"]).add_auth(request)
print(request.headers["Authorization"])
