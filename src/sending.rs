//! What sending can lead to, whatever it was sent to: faults by what may follow them, and what a look-up says. It must not
//! know any platform, only that they are reached by HTTP.

use std::time::Duration;

use crate::redact;

const CONNECT: Duration = Duration::from_secs(3);
const WHOLE: Duration = Duration::from_secs(10);

/// Why a message did not surely arrive, and whether trying again helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFault {
    /// Not begun: there is no room for it yet; wait this long.
    #[error("waiting {0:?} for the rate limit")]
    Wait(Duration),
    /// Certainly not executed: the platform says that it is too much; wait this long.
    #[error("rate limit exceeded, retry after {0:?}")]
    Limited(Duration),
    /// Certainly not executed; the network or the server was not reached.
    #[error("not sent: {0}")]
    NotSent(String),
    /// May or may not have been executed.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// Will never be accepted as it is.
    #[error("refused: {0}")]
    Refused(String),
    /// Will never be accepted as it is, and is counted by the platform among what nobody may ask for too often.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// A right is missing, or the place takes nothing at all now: it is so for whatever else goes there.
    #[error("blocked: {0}")]
    Blocked(String),
    /// Whatever it was to be sent to is not there.
    #[error("not found: {0}")]
    NotThere(String),
    /// This was done before, by an attempt whose answer was lost.
    #[error("already done")]
    AlreadyDone,
    /// Whoever asked does not wait any more.
    #[error("too late to be answered")]
    Expired,
    /// The message that answered to this nonce was deleted by somebody.
    #[error("someone deleted the message")]
    Deleted,
    /// The token is not accepted any more: nothing can be sent.
    #[error("the platform rejects the bot token")]
    TokenDead,
}

/// What a look-up in a channel's history says about a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    Found(String),
    /// The history could be read, and the marker is not there.
    Absent,
    /// The history could not be trusted.
    Inconclusive,
}

/// The HTTP client for everything that is written to: time-outs, no redirects, no proxy from the environment. `agent` is what it
/// calls itself.
///
/// # Errors
/// The TLS library could not be set up.
pub fn http_client(agent: &str) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(agent)
        .build()
}

/// Whether a text is a URL that a request can be sent to.
pub fn is_url(text: &str) -> bool {
    reqwest::Url::parse(text)
        .is_ok_and(|url| url.has_host() && url.port_or_known_default().is_some_and(|port| port > 0))
}

/// Asks a service of this machine about itself: the status and text of its answer.
///
/// # Errors
/// A classified fault.
pub async fn look(url: &str) -> Result<(u16, String), SendFault> {
    let client = http_client(concat!("tminus/", env!("CARGO_PKG_VERSION"))).map_err(|error| unanswered(&error))?;
    let answer = client.get(url).send().await.map_err(|error| unanswered(&error))?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.map_err(|error| unanswered(&error))?))
}

/// What somebody else answered, as it may be logged, stored and said: one short line without secrets.
pub fn said(text: &str) -> String {
    redact::clean(text).chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A request that got no answer: not sent if the server was never reached, else of unknown outcome.
pub fn unanswered(error: &reqwest::Error) -> SendFault {
    // A URL may hold a token: only the innermost cause is kept, which does not name it.
    let mut text = String::from(if error.is_timeout() { "timed out" } else { "connection failed" });
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    let text = said(&text);
    if error.is_connect() || error.is_builder() { SendFault::NotSent(text) } else { SendFault::Unknown(text) }
}
