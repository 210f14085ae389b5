//! Which options go together, and which decides.

use super::*;

fn build(builder: ClientBuilder, variable: Option<&str>) -> Result<Client, Error> {
    let lookup = |name: &str| variable.filter(|_| name == EMULATOR_HOST).map(str::to_owned);
    builder.build_in(&Environment::new(&lookup))
}

fn endpoint(builder: ClientBuilder, variable: Option<&str>) -> String {
    let client = build(builder, variable).unwrap();
    format!("{:?}", client.transport())
}

#[tokio::test]
async fn the_explicit_endpoint_wins_over_the_variable() {
    let explicit =
        Client::builder().with_endpoint("http://127.0.0.1:1").with_credentials(Credentials::anonymous());
    assert!(endpoint(explicit, Some("127.0.0.1:2")).contains("127.0.0.1:1"));
}

#[tokio::test]
async fn the_variable_means_plaintext_and_nobody() {
    let shown = endpoint(Client::builder(), Some("localhost:9000"));
    assert!(shown.contains("http://localhost:9000") && shown.contains("tokens: None"), "{shown}");
}

#[cfg(all(feature = "tls", feature = "google-cloud-auth"))]
#[tokio::test]
async fn without_either_it_is_the_global_endpoint_with_default_credentials() {
    let shown = endpoint(Client::builder(), None);
    assert!(shown.contains("https://contactcenterinsights.googleapis.com"), "{shown}");
    assert!(shown.contains("google-cloud-auth"), "{shown}");
}

#[tokio::test]
async fn bad_options_are_named() {
    let bad = [
        (Client::builder().with_endpoint("ftp://x"), None, Setting::Endpoint),
        (Client::builder(), Some("no such/host"), Setting::Endpoint),
    ];
    for (builder, variable, option) in bad {
        let error = build(builder, variable).unwrap_err();
        assert_eq!(error.setting(), Some(option), "{error:?}");
    }
    let transport = Transport::new("http://localhost:1".parse().unwrap(), Credentials::anonymous()).unwrap();
    let with = || Client::builder().with_transport(transport.clone());
    for both in
        [with().with_endpoint("http://localhost:2"), with().with_location("eu"), with().without_proxy()]
    {
        assert_eq!(build(both, None).unwrap_err().setting(), Some(Setting::Transport));
    }
}
