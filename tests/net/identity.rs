//! Who calls, on a real socket: one project pays, whoever names it (`x-goog-user-project`), and credentials of another
//! universe send nothing.

use contact_center_insights::auth::Token;
use contact_center_insights::{Client, Credentials};

use crate::server::{Manner, Server};
use crate::support::NAME;
use crate::{chain, works};

const HEADER: http::HeaderName = http::HeaderName::from_static("x-goog-user-project");

#[tokio::test]
async fn the_call_wins_over_the_client_and_the_client_over_the_credentials() {
    let server = Server::start(Manner::Plain).await;
    // Whoever runs this may have the variable set.
    let of_environment =
        std::env::var("GOOGLE_CLOUD_QUOTA_PROJECT").ok().filter(|project| !project.is_empty());
    let unless_told = of_environment.as_deref().unwrap_or("of-credentials");
    let cases: [(Option<&str>, Option<&'static str>, &[&str]); 4] = [
        (None, None, &[unless_told]),
        (Some("of-client"), None, &["of-client"]),
        (None, Some("of-call"), &["of-call"]),
        (Some("of-client"), Some("of-call"), &["of-call"]),
    ];
    for (of_client, of_call, expected) in cases {
        let token = Token::new("t").unwrap().with_quota_project("of-credentials").unwrap();
        let mut builder = Client::builder()
            .with_endpoint(format!("http://{}", server.address))
            .with_credentials(Credentials::from_token(token));
        if let Some(project) = of_client {
            builder = builder.with_quota_project(project);
        }
        let client = builder.build().unwrap();
        let mut call = client.get_operation(NAME);
        if let Some(project) = of_call {
            call = call.with_header(HEADER, http::HeaderValue::from_static(project));
        }
        call.await.unwrap();
        let seen = server.script.seen().pop().unwrap().headers.into_headers();
        let values: Vec<_> = seen.get_all(HEADER).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(values, expected, "{of_client:?} {of_call:?}");
    }
}

#[tokio::test]
async fn credentials_of_another_universe_send_nothing() {
    let server = Server::start(Manner::Plain).await;
    let client = |domain| {
        let token = Token::new("t").unwrap().with_universe_domain("example.cloud");
        let builder = Client::builder()
            .with_endpoint(format!("http://{}", server.address))
            .with_credentials(Credentials::from_token(token));
        builder.with_universe_domain(domain).build().unwrap()
    };
    let error = client("googleapis.com").get_operation(NAME).await.map(|_| "it worked").unwrap_err();
    let text = chain(&error);
    assert!(error.is_credentials() && !error.is_transient(), "{text}");
    assert!(text.contains("example.cloud") && text.contains("googleapis.com"), "{text}");
    assert_eq!(server.script.calls(), 0);
    works(&client("example.cloud")).await;
}
