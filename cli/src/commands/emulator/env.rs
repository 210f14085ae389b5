//! `cci emulator env`: the lines that point each official client at an emulator.

use crate::args::{Language, Recipe};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::print;

pub(super) fn run(args: &Recipe) -> Result<(), Failure> {
    let (host, port) = split(&args.address).ok_or_else(|| {
        let problem = format!("`{}` is not of the form HOST:PORT", args.address);
        Failure::new(Exit::Usage, problem)
    })?;
    let host = reachable(host);
    let lines = recipe(args.lang).replace("{address}", &format!("{host}:{port}"));
    print(&lines.replace("{host}", host).replace("{port}", port))
}

fn split(address: &str) -> Option<(&str, &str)> {
    let (host, port) = address.rsplit_once(':')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    let fits =
        !host.is_empty() && host.chars().all(is_plain) && port.parse::<u16>().is_ok_and(|port| port > 0);
    fits.then_some((host, port))
}

/// Where an emulator is reached that listens at all addresses.
fn reachable(host: &str) -> &str {
    match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    }
}

/// As the clients were seen to work.
fn recipe(language: Language) -> &'static str {
    match language {
        Language::Rust => RUST,
        Language::Python => PYTHON,
        Language::Node => NODE,
        Language::Java => JAVA,
        Language::Go => GO,
    }
}

const RUST: &str = r#"// contact-center-insights, over gRPC. Or leave the code as it is, and set the variable:
//   export CONTACTCENTERINSIGHTS_EMULATOR_HOST={address}
let client = contact_center_insights::Client::builder()
    .with_endpoint("http://{address}")
    .with_credentials(contact_center_insights::Credentials::anonymous())
    .build()?;

// google-cloud-contactcenterinsights-v1, over REST, which is all that it has.
let client = google_cloud_contactcenterinsights_v1::client::ContactCenterInsights::builder()
    .with_endpoint("http://{address}")
    .with_credentials(google_cloud_auth::credentials::anonymous::Builder::new().build())
    .build()
    .await?;
"#;

const PYTHON: &str = r#"# google-cloud-contact-center-insights, over gRPC.
import grpc
from google.cloud import contact_center_insights_v1 as insights
from google.cloud.contact_center_insights_v1.services.contact_center_insights import transports

client = insights.ContactCenterInsightsClient(
    transport=transports.ContactCenterInsightsGrpcTransport(channel=grpc.insecure_channel("{address}"))
)

# Over REST.
from google.auth.credentials import AnonymousCredentials

client = insights.ContactCenterInsightsClient(
    transport=transports.ContactCenterInsightsRestTransport(
        host="{address}", url_scheme="http", credentials=AnonymousCredentials()
    )
)
"#;

const NODE: &str = r"// @google-cloud/contact-center-insights, over gRPC.
const {ContactCenterInsightsClient} = require('@google-cloud/contact-center-insights').v1;
const {grpc} = require('google-gax');
const client = new ContactCenterInsightsClient({
  servicePath: '{host}',
  port: {port},
  sslCreds: grpc.credentials.createInsecure(),
});

// Over REST.
const {PassThroughClient} = require('google-auth-library');
const rest = new ContactCenterInsightsClient({
  servicePath: '{host}',
  port: {port},
  fallback: true,
  protocol: 'http',
  authClient: new PassThroughClient(),
});
";

const JAVA: &str = r#"// google-cloud-contact-center-insights, over gRPC.
ContactCenterInsightsClient client =
    ContactCenterInsightsClient.create(
        ContactCenterInsightsSettings.newBuilder()
            .setCredentialsProvider(NoCredentialsProvider.create())
            .setTransportChannelProvider(
                FixedTransportChannelProvider.create(
                    GrpcTransportChannel.create(
                        ManagedChannelBuilder.forTarget("{address}").usePlaintext().build())))
            .build());

// Over REST.
ContactCenterInsightsClient rest =
    ContactCenterInsightsClient.create(
        ContactCenterInsightsSettings.newHttpJsonBuilder()
            .setCredentialsProvider(NoCredentialsProvider.create())
            .setTransportChannelProvider(
                ContactCenterInsightsSettings.defaultHttpJsonTransportProviderBuilder()
                    .setEndpoint("http://{address}")
                    .build())
            .build());
"#;

const GO: &str = r#"// cloud.google.com/go/contactcenterinsights/apiv1, over gRPC.
client, err := contactcenterinsights.NewClient(ctx,
	option.WithEndpoint("{address}"),
	option.WithoutAuthentication(),
	option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))

// Over REST.
rest, err := contactcenterinsights.NewRESTClient(ctx,
	option.WithEndpoint("http://{address}"),
	option.WithoutAuthentication())
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_has_the_address_in_it() {
        for language in [Language::Rust, Language::Python, Language::Node, Language::Java, Language::Go] {
            let text = recipe(language);
            assert!(
                text.contains("{address}") || (text.contains("{host}") && text.contains("{port}")),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!(split("127.0.0.1:9420"), Some(("127.0.0.1", "9420")));
        assert_eq!(split("[::1]:9420"), Some(("[::1]", "9420")));
        for bad in ["", "9420", ":9420", "localhost:", "localhost:0", "localhost:70000", "a\"b:1"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
