//! An account as moto plays it, with what moto does not do in front: pages, throttling, missing rights.
#![cfg(all(feature = "account", target_os = "linux"))]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use soci_aws::account::{
    Account, AccountError, AccountOptions, Answer, Failure, Found, Http, Keys, Request, Wanted,
};
use soci_image::EcrHost;
use soci_tests::servers::Server;

/// Hands everything to moto, whatever host was asked.
#[derive(Default)]
struct Front {
    moto: Option<Server>,
    /// Answers that are given instead, how often: by action.
    instead: Mutex<BTreeMap<&'static str, (usize, u16, Value)>>,
    calls: Mutex<BTreeMap<String, usize>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

/// The `Http` of an account, shared with the test.
struct Shared(Arc<Front>);

impl Http for Shared {
    fn exchange(&self, request: &Request) -> Result<Answer, Failure> {
        let front = &self.0;
        let now = front.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        front.most.fetch_max(now, Ordering::SeqCst);
        // Long enough for others to come in.
        std::thread::sleep(Duration::from_millis(5));
        let answer = front.answer(request);
        front.under_way.fetch_sub(1, Ordering::SeqCst);
        Ok(answer)
    }
}

impl Front {
    fn start() -> Arc<Self> {
        Arc::new(Self {
            moto: Some(Server::moto()),
            ..Self::default()
        })
    }

    fn answer(&self, request: &Request) -> Answer {
        let target = request.headers.iter().find(|(name, _)| name == "x-amz-target");
        let target = target.map(|(_, value)| value.clone()).unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        *self.calls.lock().unwrap().entry(action.clone()).or_default() += 1;
        if let Some((times, status, body)) = self.instead.lock().unwrap().get_mut(action.as_str())
            && *times > 0
        {
            *times -= 1;
            return answer(*status, body);
        }
        let mut asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let from = asked["nextToken"]
            .as_str()
            .and_then(|token| token.parse().ok())
            .unwrap_or(0_usize);
        for key in ["nextToken", "maxResults"] {
            asked.as_object_mut().map(|map| map.remove(key));
        }
        let (status, mut body) = self.moto(&target, &asked);
        // moto gives lists whole; ECS at most 100 a page.
        for key in ["taskArns", "serviceArns", "clusterArns"] {
            if let Some(list) = body.get(key).and_then(Value::as_array).cloned() {
                let page: Vec<Value> = list.iter().skip(from).take(100).cloned().collect();
                let next = from + page.len();
                body[key] = json!(page);
                if next < list.len() {
                    body["nextToken"] = json!(next.to_string());
                }
            }
        }
        // moto prints numbers where the API has texts.
        for task in body["tasks"].as_array_mut().into_iter().flatten() {
            for container in task["containers"].as_array_mut().into_iter().flatten() {
                let texts = ["cpu", "memory", "memoryReservation"];
                if let Some(map) = container.as_object_mut() {
                    map.retain(|key, _| !texts.contains(&key.as_str()));
                }
            }
        }
        answer(status, &body)
    }

    /// One call to moto.
    fn moto(&self, target: &str, body: &Value) -> (u16, Value) {
        let moto = self.moto.as_ref().expect("started with one");
        let service = if target.contains("ContainerRegistry") {
            "ecr"
        } else {
            "ecs"
        };
        let body = body.to_string();
        let mut stream = TcpStream::connect(moto.address()).expect("moto listens");
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {service}.eu-west-1.amazonaws.com\r\nConnection: close\r\nX-Amz-Target: {target}\r\n\
             Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIDEXAMPLE/20261129/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
            body.len()
        )
        .expect("moto reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("moto answers");
        let text = String::from_utf8(answer).expect("moto answers in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a header");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    fn ecs(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self.moto(&format!("AmazonEC2ContainerServiceV20141113.{action}"), &body);
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    /// A task definition with one container.
    fn define(&self, family: &str) {
        self.ecs(
            "RegisterTaskDefinition",
            json!({
                "family": family, "networkMode": "bridge", "cpu": "256", "memory": "512",
                "containerDefinitions": [{"name": "web", "memory": 128,
                    "image": format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/{family}:1")}],
            }),
        );
    }

    fn run(&self, cluster: &str, family: &str, service: &str, count: usize) {
        for _ in 0..count.div_ceil(10) {
            self.ecs(
                "RunTask",
                json!({"cluster": cluster, "taskDefinition": family, "launchType": "FARGATE", "count": count.min(10),
                    "group": format!("service:{service}"), "platformVersion": "1.4.0"}),
            );
        }
    }

    fn instead(&self, action: &'static str, times: usize, status: u16, body: Value) {
        self.instead.lock().unwrap().insert(action, (times, status, body));
    }

    fn account(self: &Arc<Self>) -> Account {
        let options = AccountOptions {
            region: Some("eu-west-1".to_owned()),
            keys: Some(Keys {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: "hunter2".to_owned(),
                session_token: None,
            }),
            ..AccountOptions::default()
        };
        Account::open(&options, Arc::new(Shared(self.clone()))).expect("an account")
    }

    fn found(self: &Arc<Self>, wanted: &Wanted) -> Found {
        self.account()
            .running(wanted)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

fn of(cluster: &str) -> Wanted {
    Wanted {
        cluster: Some(cluster.to_owned()),
        ..Wanted::default()
    }
}

#[test]
fn two_hundred_and_fifty_services_come_in_pages_and_each_definition_once() {
    let front = Front::start();
    front.ecs("CreateCluster", json!({"clusterName": "shop"}));
    front.define("web");
    front.define("idle");
    for number in 0..250 {
        let family = if number < 130 { "web" } else { "idle" };
        front.ecs(
            "CreateService",
            json!({"cluster": "shop", "serviceName": format!("s{number}"), "taskDefinition": family, "desiredCount": 0, "launchType": "FARGATE"}),
        );
    }
    for number in 0..13 {
        front.run("shop", "web", &format!("s{number}"), 10);
    }
    let found = front.found(&of("shop"));
    assert_eq!(found.gaps, []);
    assert_eq!(found.running.services().len(), 250);
    assert_eq!(found.running.tasks().len(), 130);
    assert_eq!(found.running.definitions().len(), 2);
    let calls = front.calls.lock().unwrap().clone();
    let expected = [
        ("DescribeServices", 25),
        ("DescribeTaskDefinition", 2),
        ("DescribeTasks", 2),
        ("ListServices", 3),
        ("ListTasks", 2),
    ];
    let expected: BTreeMap<String, usize> = expected.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(calls, expected);
    let most = front.most.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most} calls at once");
}

#[test]
fn a_service_a_task_and_every_cluster() {
    let front = Front::start();
    for cluster in ["one", "two"] {
        front.ecs("CreateCluster", json!({"clusterName": cluster}));
    }
    front.define("web");
    front.ecs(
        "CreateService",
        json!({"cluster": "one", "serviceName": "web", "taskDefinition": "web", "desiredCount": 0, "launchType": "FARGATE"}),
    );
    front.run("two", "web", "other", 1);
    let service = front.found(&Wanted {
        services: vec!["web".to_owned()],
        ..of("one")
    });
    assert_eq!(service.running.services().len(), 1);
    assert_eq!(
        service.running.definitions().len(),
        1,
        "what would run is described"
    );
    let all = front.found(&Wanted {
        all_clusters: true,
        ..Wanted::default()
    });
    assert_eq!((all.running.services().len(), all.running.tasks().len()), (1, 1));
    let task = &all.running.tasks()[0];
    assert_eq!(
        (task.cluster_name(), task.service()),
        (Some("two"), Some("other"))
    );
    let one = front.found(&Wanted {
        tasks: vec![task.arn.clone()],
        ..Wanted::default()
    });
    let arns: Vec<&str> = one.running.tasks().iter().map(|task| task.arn.as_str()).collect();
    assert_eq!(arns, [task.arn.as_str()]);
    let missing = front.found(&Wanted {
        tasks: vec!["arn:aws:ecs:eu-west-1:123456789012:task/two/nowhere".to_owned()],
        ..Wanted::default()
    });
    assert!(missing.running.is_empty());
}

#[test]
fn throttled_calls_are_made_again() {
    let front = Front::start();
    front.ecs("CreateCluster", json!({"clusterName": "shop"}));
    front.define("web");
    front.run("shop", "web", "web", 1);
    front.instead(
        "ListTasks",
        2,
        400,
        json!({"__type": "ThrottlingException", "message": "Rate exceeded"}),
    );
    front.instead("DescribeTasks", 1, 503, json!({}));
    let found = front.found(&of("shop"));
    assert_eq!(found.gaps, []);
    assert_eq!(found.running.tasks().len(), 1);
    assert_eq!(front.calls.lock().unwrap().get("ListTasks"), Some(&3));
}

#[test]
fn a_missing_right_is_a_gap_that_names_it() {
    let front = Front::start();
    front.ecs("CreateCluster", json!({"clusterName": "shop"}));
    front.define("web");
    front.run("shop", "web", "web", 1);
    let denied = json!({"__type": "AccessDeniedException", "message": "User: u is not authorized to perform: ecs:ListServices"});
    front.instead("ListServices", 1, 400, denied);
    let found = front.found(&of("shop"));
    assert_eq!(found.running.tasks().len(), 1, "the rest is known");
    let gaps: Vec<_> = found
        .gaps
        .iter()
        .map(|gap| (gap.what.as_str(), gap.permission))
        .collect();
    assert_eq!(gaps, [("the services of shop", Some("ecs:ListServices"))]);
    // A cluster that is not there is a gap without a right.
    let nowhere = front.found(&of("nowhere"));
    assert!(nowhere.running.is_empty());
    assert!(
        nowhere
            .gaps
            .iter()
            .all(|gap| gap.permission.is_none() && gap.problem.contains("Cluster")),
        "{:?}",
        nowhere.gaps
    );
}

#[test]
fn credentials_that_ended_end_the_run() {
    let front = Front::start();
    let ended = json!({"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"});
    for action in ["ListTasks", "ListServices"] {
        front.instead(action, usize::MAX, 400, ended.clone());
    }
    let error = front.account().running(&of("shop")).unwrap_err();
    assert!(
        matches!(&error, AccountError::Refused(words) if words.contains("is expired")),
        "{error}"
    );
    assert!(error.help().unwrap_or_default().contains("aws sso login"));
}

#[test]
fn a_login_of_ecr_comes_from_the_registrys_region() {
    let front = Front::start();
    let host = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").expect("an ECR host");
    let token = front.account().ecr_token(&host).expect("moto gives tokens");
    assert_eq!(token.username, "AWS");
    assert!(!format!("{token:?}").contains(&token.password));
    front.instead(
        "GetAuthorizationToken",
        1,
        400,
        json!({"__type": "AccessDeniedException", "message": "no"}),
    );
    let error = front.account().ecr_token(&host).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot fetch a login of Amazon ECR: AccessDeniedException: no"
    );
}
