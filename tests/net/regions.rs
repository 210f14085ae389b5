//! The host of each call by the location in its name, through a proxy that leads wherever it is asked to one server.

use contact_center_insights::auth::Token;
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::error::Setting;
use contact_center_insights::{Client, Credentials};
use rustls::version::{TLS12, TLS13};

use crate::certificates::{Authority, NOW, server};
use crate::proxy::{Manner, Proxy};
use crate::server::{Manner as Speech, Server};
use crate::{TOKEN, chain};

const GLOBAL: &str = "contactcenterinsights.googleapis.com";

#[tokio::test]
async fn each_call_goes_to_the_host_of_the_location_in_its_name() {
    let authority = Authority::new();
    let config = server(&authority.sign(&format!("eu-{GLOBAL}"), NOW), None, &["h2"], &[&TLS13, &TLS12]);
    let server = Server::start(Speech::Tls(config)).await;
    let proxy = Proxy::start(Manner::Connect(None), server.address).await;
    let client = Client::builder()
        .with_regional_endpoints()
        .with_credentials(Credentials::from_token(Token::new(TOKEN).unwrap()))
        .with_retry(RetryPolicy::never())
        .with_tls(authority.trust())
        .with_proxy(format!("http://{}", proxy.address))
        .build()
        .unwrap();
    let ask = |location: &str| client.get_operation(format!("projects/p/locations/{location}/operations/1"));

    for _ in 0..2 {
        ask("eu").await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    }
    assert_eq!(proxy.seen().matches("CONNECT ").count(), 1, "one connection serves both");
    assert!(proxy.seen().starts_with(&format!("CONNECT eu-{GLOBAL}:443 ")), "{}", proxy.seen());
    let sent = server.script.seen();
    assert_eq!(sent[0].headers.get("authorization").unwrap(), &format!("Bearer {TOKEN}"));

    // The server has no certificate for these.
    for (location, host) in [("us-central1", GLOBAL.to_owned()), ("us", format!("us-{GLOBAL}"))] {
        let error = ask(location).await.unwrap_err();
        assert!(error.is_unreachable(), "{}", chain(&error));
        assert!(proxy.seen().contains(&format!("CONNECT {host}:443 ")), "{}", proxy.seen());
    }

    let asked = proxy.seen().matches("CONNECT ").count();
    for bad in ["evil.example", "Europe", "eu@evil.example:1"] {
        let error = ask(bad).await.unwrap_err();
        assert!(error.is_unreachable() && !error.is_transient(), "{error:?}");
        assert!(chain(&error).contains("is not a location, such as europe-west1"), "{}", chain(&error));
    }
    assert_eq!(proxy.seen().matches("CONNECT ").count(), asked, "{}", proxy.seen());
    assert_eq!(server.script.seen().len(), 2);
}

#[tokio::test]
async fn a_place_that_was_set_stays() {
    let regional = || Client::builder().with_regional_endpoints().with_credentials(Credentials::anonymous());
    let client = regional().with_endpoint("http://127.0.0.1:1").build().unwrap();
    assert_eq!(client.transport().endpoint().to_string(), "http://127.0.0.1:1");
    let client = regional().with_location("eu").build().unwrap();
    assert_eq!(client.transport().endpoint().host(), format!("eu-{GLOBAL}"));
    let client = regional().build().unwrap();
    assert_eq!(client.transport().endpoint().host(), GLOBAL);
    let transport = client.transport().clone();
    let error = Client::builder().with_transport(transport).with_regional_endpoints().build().unwrap_err();
    assert_eq!(error.setting(), Some(Setting::Transport));
}
