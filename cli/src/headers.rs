//! What `-vv` shows: the heads of requests and answers, without secrets, on stderr.

use std::pin::Pin;
use std::task::{Context, Poll};

use contact_center_insights::http::{HeaderMap, Request, Response};
use contact_center_insights_emulator::is_secret_header;
use tower::{Layer, Service};

use crate::escape::line_within;
use crate::terminal::eprint_line;

/// Of a header's value, in characters.
const MOST_OF_VALUE: usize = 500;

/// Makes [`ShowHeaders`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShowHeadersLayer;

impl<S> Layer<S> for ShowHeadersLayer {
    type Service = ShowHeaders<S>;

    fn layer(&self, inner: S) -> ShowHeaders<S> {
        ShowHeaders { inner }
    }
}

/// Shows the heads of what passes.
#[derive(Clone, Debug)]
pub(crate) struct ShowHeaders<S> {
    inner: S,
}

impl<S, A, B> Service<Request<A>> for ShowHeaders<S>
where
    S: Service<Request<A>, Response = Response<B>, Future: Send + 'static>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        eprint_line(format_args!(
            "> {} {}",
            request.method(),
            line_within(&request.uri().to_string(), MOST_OF_VALUE)
        ));
        shown(request.headers()).for_each(|line| eprint_line(format_args!("> {line}")));
        let call = self.inner.call(request);
        Box::pin(async move {
            let answer = call.await?;
            eprint_line(format_args!("< {:?} {}", answer.version(), answer.status()));
            shown(answer.headers()).for_each(|line| eprint_line(format_args!("< {line}")));
            Ok(answer)
        })
    }
}

fn shown(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| {
        // Whoever has set them.
        if value.is_sensitive() || is_secret_header(name.as_str()) {
            return format!("{name}: (redacted)");
        }
        format!("{name}: {}", line_within(&String::from_utf8_lossy(value.as_bytes()), MOST_OF_VALUE))
    })
}

#[cfg(test)]
mod tests {
    use contact_center_insights::http::HeaderValue;
    use contact_center_insights::http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer planted"));
        let mut marked = HeaderValue::from_static("planted");
        marked.set_sensitive(true);
        headers.insert("x-own", marked);
        headers.insert("x-api-key", HeaderValue::from_static("planted"));
        headers.insert("x-plain", HeaderValue::from_static("fine"));
        let lines: Vec<_> = shown(&headers).collect();
        let wanted =
            ["authorization: (redacted)", "x-own: (redacted)", "x-api-key: (redacted)", "x-plain: fine"];
        assert_eq!(lines, wanted);
    }
}
