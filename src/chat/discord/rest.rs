//! The transport: every request to Discord's REST API. Base URL from the configuration, time-outs, per-bucket and global
//! limits, classified faults. It never repeats a request by itself: who may repeat is the caller's business.
//!
//! Limits: <https://discord.com/developers/docs/topics/rate-limits>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::Instant;

use super::owner::Owners;
use super::pace::{Pace, Urgency};
use crate::chat::token::Token;
use crate::clock::Clock;
use crate::sending::{self, SendFault, unanswered};

/// A longer wait for a bucket than this is the caller's, not ours: others are not to wait behind it.
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// The same where a notice is due.
const LONGEST_WAIT_DUE: Duration = Duration::from_secs(1);
/// The same where a person waits.
const LONGEST_WAIT_URGENT: Duration = Duration::from_secs(5);
/// Of a bucket's requests these are kept for what is due or urgent.
const RESERVE: f64 = 0.4;
/// How long something that is read is waited for.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two attempts: so long at first, twice as long after each, at most [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The largest answer read.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A file sent along with a message.
#[derive(Debug, Clone)]
pub struct Upload {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The transport. Cheap to clone.
#[derive(Clone)]
pub struct Rest {
    http: reqwest::Client,
    base: Arc<str>,
    token: Token,
    owners: Owners,
    global: Arc<Pace>,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
    clock: Clock,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    remaining: u32,
    /// How many of them are kept for what is due or urgent.
    reserve: u32,
    reset: Instant,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest").field("base", &self.base).finish_non_exhaustive()
    }
}

/// How a route is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// By bucket and by the global limit.
    Bucket,
    /// The same, before those: a notice is due.
    Notice,
    /// The same, before all others: a person waits or must decide.
    Urgent,
    /// Interaction callbacks are exempt and must not wait.
    Exempt,
}

/// The HTTP client for Discord, which wants to be told the library's address and version.
///
/// # Errors
/// The TLS library could not be set up.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    sending::http_client(concat!("DiscordBot (https://github.com/tminus/tminus, ", env!("CARGO_PKG_VERSION"), ")"))
}

impl Rest {
    /// A transport to `base`, such as `https://discord.com`; `clock` hears the date of every answer.
    pub fn new(http: reqwest::Client, base: &str, token: impl Into<Token>, clock: Clock) -> Self {
        Self {
            http,
            base: base.trim_end_matches('/').into(),
            token: token.into(),
            owners: Owners::default(),
            global: Arc::default(),
            buckets: Arc::default(),
            clock,
        }
    }

    /// The bot's token.
    pub(super) fn token(&self) -> &Token {
        &self.token
    }

    /// Whose channels are.
    pub(super) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// Asks for any answer, for its date (`Get Gateway` is small and wants no right). What it says otherwise, and whether it
    /// comes, is all one: a refusal is dated as well.
    pub async fn ask_time(&self) {
        if let Err(fault) = self.json(Method::GET, "/gateway", None, Limit::Urgent).await {
            tracing::debug!(%fault, "time request failed");
        }
    }

    /// One request with a JSON body. `path` begins after `/api/v10`.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        limit: Limit,
    ) -> Result<Value, SendFault> {
        let request = self.request(method.clone(), path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.send(&method, path, request, limit).await
    }

    /// Reads something, again where that may help: reading changes nothing.
    ///
    /// # Errors
    /// A classified fault that lasted.
    pub async fn read(&self, path: &str, limit: Limit) -> Result<Value, SendFault> {
        let mut retries = Retries::until(Instant::now() + PATIENCE);
        loop {
            match self.json(Method::GET, path, None, limit).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => retries.rest(fault).await?,
            }
        }
    }

    /// One request with a JSON body and a file.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn upload(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        file: Upload,
        limit: Limit,
    ) -> Result<Value, SendFault> {
        let part = reqwest::multipart::Part::bytes(file.bytes).file_name(file.name);
        let form = reqwest::multipart::Form::new().text("payload_json", body.to_string()).part("files[0]", part);
        let request = self.request(method.clone(), path).multipart(form);
        self.send(&method, path, request, limit).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api/v10{path}", self.base))
            .header("Authorization", format!("Bot {}", self.token.value().expose_secret()))
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        request: reqwest::RequestBuilder,
        limit: Limit,
    ) -> Result<Value, SendFault> {
        let bucket = bucket_of(method, path);
        match limit {
            Limit::Bucket => self.wait_for(&bucket, Urgency::Normal).await?,
            Limit::Notice => self.wait_for(&bucket, Urgency::Notice).await?,
            Limit::Urgent => self.wait_for(&bucket, Urgency::Urgent).await?,
            Limit::Exempt => {}
        }
        let asked = self.clock.asking();
        let answer = request.send().await.map_err(|error| unanswered(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if let Some(date) = date(&headers) {
            self.clock.heard(asked, date);
        }
        let bytes = answer.bytes().await;
        self.taken(status, &headers, bytes.as_deref().ok(), &bucket, limit)
    }

    /// What an answer means, and what it says of the limits. `bytes` is `None` where the body broke off.
    pub(super) fn taken(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        bytes: Option<&[u8]>,
        bucket: &str,
        limit: Limit,
    ) -> Result<Value, SendFault> {
        if limit != Limit::Exempt {
            self.learn(bucket, headers);
        }
        let retry_after = header_number(headers, "retry-after");
        let body: Option<Value> = match bytes {
            Some(bytes) if bytes.len() <= MAX_ANSWER => serde_json::from_slice(bytes).ok(),
            _ => None,
        };
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        if status.is_success() {
            return body.ok_or_else(|| SendFault::Unknown("cannot read Discord's answer".to_owned()));
        }
        let fault = classify(status, body.as_ref(), retry_after);
        if let SendFault::Limited(wait) = &fault {
            // No JSON at all is what stands before Discord; that concerns every request.
            let global = body.as_ref().is_none_or(|body| body.get("global").and_then(Value::as_bool).unwrap_or(false));
            if global {
                self.global.hold(*wait);
            } else if limit != Limit::Exempt {
                self.full(bucket, *wait);
            }
        }
        Err(fault)
    }

    async fn wait_for(&self, bucket: &str, urgency: Urgency) -> Result<(), SendFault> {
        let longest = match urgency {
            Urgency::Urgent => LONGEST_WAIT_URGENT,
            Urgency::Notice => LONGEST_WAIT_DUE,
            Urgency::Normal => LONGEST_WAIT,
        };
        if let Some(wait) = self.global.held().filter(|wait| *wait > longest) {
            return Err(SendFault::Wait(wait));
        }
        loop {
            let wait = {
                let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                match buckets.get_mut(bucket) {
                    Some(b) if b.reset <= now => {
                        buckets.remove(bucket);
                        None
                    }
                    Some(b) if b.remaining <= b.kept_from(urgency) => Some(b.reset - now),
                    Some(b) => {
                        b.remaining -= 1;
                        None
                    }
                    None => None,
                }
            };
            match wait {
                None => break,
                Some(wait) if wait > longest => return Err(SendFault::Wait(wait)),
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
        self.global.turn(urgency).await;
        Ok(())
    }

    /// Headers that do not parse are ignored: they are never a reason to send again.
    fn learn(&self, bucket: &str, headers: &HeaderMap) {
        let (Some(remaining), Some(after)) =
            (header_number(headers, "x-ratelimit-remaining"), header_number(headers, "x-ratelimit-reset-after"))
        else {
            return;
        };
        // Only where messages are created do notices and questions compete with others.
        let creates = bucket.starts_with("POST/channels/") && bucket.ends_with("/messages");
        let whole = header_number(headers, "x-ratelimit-limit").filter(|_| creates).unwrap_or_default();
        self.set(bucket, remaining as u32, (whole * RESERVE) as u32, Duration::from_secs_f64(after));
    }

    /// Refused: nothing more for so long, whatever the headers said or did not say.
    fn full(&self, bucket: &str, wait: Duration) {
        self.set(bucket, 0, 0, wait);
    }

    fn set(&self, bucket: &str, remaining: u32, reserve: u32, after: Duration) {
        let fresh = Bucket { remaining, reserve, reset: Instant::now() + after };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.insert(bucket.to_owned(), fresh);
        if buckets.len() > 2_000 {
            let now = Instant::now();
            buckets.retain(|_, b| b.reset > now);
        }
    }
}

impl Bucket {
    /// How many requests are not for this one.
    fn kept_from(&self, urgency: Urgency) -> u32 {
        if urgency == Urgency::Normal { self.reserve } else { 0 }
    }
}

/// A header that is a sane, non-negative number.
fn header_number(headers: &HeaderMap, name: &str) -> Option<f64> {
    let number: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number.min(900.0))
}

/// When the answer was written, in seconds of Unix time; headers that do not parse are ignored.
pub(super) fn date(headers: &HeaderMap) -> Option<i64> {
    let written = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(written).ok()?.timestamp().as_second())
}

/// Whether and when a request that does no harm twice is sent again.
pub(super) struct Retries {
    until: Instant,
    pause: Duration,
}

impl Retries {
    pub(super) fn until(until: Instant) -> Self {
        Self { until, pause: PAUSE }
    }

    /// Waits until the next attempt.
    ///
    /// # Errors
    /// The fault, where another attempt would not help or come too late.
    pub(super) async fn rest(&mut self, fault: SendFault) -> Result<(), SendFault> {
        let wait = match &fault {
            SendFault::Wait(wait) | SendFault::Limited(wait) => *wait,
            SendFault::NotSent(_) | SendFault::Unknown(_) => self.pause,
            _ => return Err(fault),
        };
        if Instant::now() + wait >= self.until {
            return Err(fault);
        }
        tokio::time::sleep(wait).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Route with its major parameter: the first id stays, later ones do not.
fn bucket_of(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let mut out = String::from(method.as_str());
    for (n, part) in path.split('/').filter(|p| !p.is_empty()).enumerate() {
        out.push('/');
        let id = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        out.push_str(if id && n > 1 { ":id" } else { part });
    }
    out
}

/// Refusals with status 403 that are about one message: of another author (50005), of the system (50021), stopped by the server's
/// own filters (200000, 240000). Any other is about the channel or the bot. Source: Discord's list of JSON error codes.
const OF_ONE_MESSAGE: [i64; 4] = [50_005, 50_021, 200_000, 240_000];

/// What a refusal means.
fn classify(status: StatusCode, body: Option<&Value>, retry_after: Option<f64>) -> SendFault {
    let code = body.and_then(|b| b.get("code")).and_then(Value::as_i64).unwrap_or(0);
    let said = sending::said(body.and_then(|b| b.get("message")).and_then(Value::as_str).unwrap_or("no message"));
    let text = format!("{} {code} {said}", status.as_u16());
    match status.as_u16() {
        429 => {
            let seconds =
                body.and_then(|b| b.get("retry_after")).and_then(Value::as_f64).or(retry_after).unwrap_or(5.0);
            let sane = if seconds.is_finite() && seconds >= 0.0 { seconds.min(900.0) } else { 5.0 };
            SendFault::Limited(Duration::from_secs_f64(sane))
        }
        // Of an interaction: it is answered, it can no longer be, its token is too old.
        400 if code == 40_060 => SendFault::AlreadyDone,
        404 if code == 10_062 || code == 10_015 => SendFault::Expired,
        401 if code == 50_027 => SendFault::Expired,
        401 => SendFault::TokenDead,
        403 if OF_ONE_MESSAGE.contains(&code) => SendFault::Forbidden(text),
        403 => SendFault::Blocked(text),
        404 if code == 10008 => SendFault::Deleted,
        404 if code == 10003 => SendFault::NotThere(text),
        408 | 500..=599 => SendFault::Unknown(text),
        _ => SendFault::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_keep_the_major_parameter_only() {
        assert_eq!(bucket_of(&Method::PATCH, "/channels/12/messages/34?x=1"), "PATCH/channels/12/messages/:id");
    }

    #[test]
    fn every_answer_has_a_class() {
        let body = |code: i64| serde_json::json!({ "code": code, "message": "m" });
        let class = |status: u16, code| classify(StatusCode::from_u16(status).unwrap(), Some(&body(code)), None);
        assert_eq!(class(401, 0), SendFault::TokenDead);
        for code in [50_001, 50_013, 50_083, 0] {
            assert!(matches!(class(403, code), SendFault::Blocked(_)), "the channel's: {code}");
        }
        for code in OF_ONE_MESSAGE {
            assert!(matches!(class(403, code), SendFault::Forbidden(_)), "the message's own: {code}");
        }
        assert_eq!(class(404, 10008), SendFault::Deleted);
        assert_eq!(class(400, 40_060), SendFault::AlreadyDone);
        assert_eq!([class(404, 10_062), class(401, 50_027)], [SendFault::Expired, SendFault::Expired]);
        assert!(matches!(class(404, 10003), SendFault::NotThere(_)));
        assert!(matches!(class(502, 0), SendFault::Unknown(_)));
        assert!(matches!(class(400, 50035), SendFault::Refused(_)));
        for (retry, seconds) in [(Some(0.3), 0.3), (Some(1337.0), 900.0), (Some(f64::NAN), 5.0), (None, 5.0)] {
            let wait = classify(StatusCode::TOO_MANY_REQUESTS, None, retry);
            assert_eq!(wait, SendFault::Limited(Duration::from_secs_f64(seconds)));
        }
    }
}
