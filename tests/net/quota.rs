//! One project pays for a call, whoever names it: `x-goog-user-project` on a real socket.

use contact_center_insights::auth::Token;
use contact_center_insights::{Client, Credentials};

use crate::server::{Manner, Server};
use crate::support::NAME;

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
            call = call.with_metadata(HEADER, http::HeaderValue::from_static(project));
        }
        call.await.unwrap();
        let seen = server.script.seen().pop().unwrap().headers.into_headers();
        let values: Vec<_> = seen.get_all(HEADER).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(values, expected, "{of_client:?} {of_call:?}");
    }
}
