//! Health, readiness and metrics. Healthy: the store answers. Ready: the gateway is connected, the token accepted and the time
//! confirmed.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use crate::chat::token::Standing;
use crate::intake::state::Intake;

/// What the intake counts.
#[derive(Debug, Default)]
pub struct Metrics {
    pub taken: Counter,
    pub unrouted: Counter,
    pub unparsed: Counter,
    pub denied: Counter,
}

/// `GET /healthz`.
pub(super) async fn healthz(State(intake): State<Arc<Intake>>) -> impl IntoResponse {
    match intake.desk.store().next_wakeup().await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(_logged_by_readers) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

/// `GET /readyz`.
pub(super) async fn readyz(State(intake): State<Arc<Intake>>) -> impl IntoResponse {
    match missing(&intake) {
        Some(what) => (StatusCode::SERVICE_UNAVAILABLE, format!("{what}\n")),
        None => match without_commands(&intake) {
            Some(what) => (StatusCode::OK, format!("ready; {what}\n")),
            None => (StatusCode::OK, "ready\n".to_owned()),
        },
    }
}

/// What the service lacks to do all of its work, and what helps.
fn missing(intake: &Intake) -> Option<String> {
    match intake.token.standing() {
        Standing::Good => {}
        Standing::Doubted => {
            return Some("Discord refused the token once; T-Minus is asking whether it is valid".to_owned());
        }
        Standing::Dead => {
            let what = "Discord rejects the token, so T-Minus sends nothing. Reset the token in the developer portal. If discord.token_file is set, write the new token into that file: T-Minus reads it within a minute. Otherwise change the setting and restart.";
            return Some(what.to_owned());
        }
    }
    if !intake.gateway.ready() {
        let what = "T-Minus is not connected to Discord's gateway and keeps trying. If this lasts, check the network and discord.api_url.";
        return Some(what.to_owned());
    }
    if !intake.desk.clock().is_confirmed() {
        return Some("Discord has not confirmed the time; T-Minus sends nothing until it does".to_owned());
    }
    // What one of several servers lacks must not keep alerts of the others away.
    without_commands(intake).filter(|_| intake.gateway.registrations.stands_nowhere())
}

/// Servers whose slash commands are not registered, and what helps.
fn without_commands(intake: &Intake) -> Option<String> {
    let failed = intake.gateway.registrations.failed();
    let servers: Vec<String> = failed.iter().map(|(server, why)| format!("{server} ({why})")).collect();
    let what = "slash commands are not registered, T-Minus keeps trying; check that the bot was invited with the scope applications.commands; server";
    (!servers.is_empty()).then(|| format!("{what} {}", servers.join(", ")))
}

/// `GET /metrics`, OpenMetrics text.
pub(super) async fn metrics(State(intake): State<Arc<Intake>>) -> impl IntoResponse {
    let mut registry = Registry::with_prefix("tminus");
    let m = &intake.metrics;
    registry.register("alerts_taken", "Alerts routed to a release", m.taken.clone());
    registry.register("alerts_unrouted", "Alerts that match no running release", m.unrouted.clone());
    registry.register("webhooks_unparsed", "Webhook bodies in an unknown format", m.unparsed.clone());
    registry.register("webhooks_denied", "Webhooks refused for a bad credential", m.denied.clone());
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        return (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], String::new());
    }
    let mut body = text.trim_end_matches("# EOF\n").to_owned();
    body.push_str("# HELP tminus_posts Open posts by state.\n# TYPE tminus_posts gauge\n");
    for row in intake.desk.store().post_counts().await.into_iter().flatten() {
        // Writing to a string cannot fail.
        let _: Result<(), std::fmt::Error> = writeln!(body, "tminus_posts{{state=\"{}\"}} {}", row.state, row.count);
    }
    body.push_str("# HELP tminus_posts_sent Posts sent since the service started.\n# TYPE tminus_posts_sent counter\n");
    let _: Result<(), std::fmt::Error> = writeln!(body, "tminus_posts_sent_total {}", intake.courier.posts_sent());
    let clock = intake.desk.clock();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of days fit")]
    let ahead = clock.ahead_ms() as f64 / 1_000.0;
    let misplaced = intake.gateway.misplaced().values().filter(|found| !found.is_empty()).count();
    #[expect(clippy::cast_precision_loss, reason = "servers are few")]
    let (unregistered, misplaced) = (intake.gateway.registrations.failed().len() as f64, misplaced as f64);
    let gauges = [
        (
            "tminus_token_accepted",
            "Whether Discord accepts the token; T-Minus sends nothing while it does not",
            f64::from(u8::from(intake.token.standing() == Standing::Good)),
        ),
        ("tminus_gateway_connected", "Whether the gateway is connected", f64::from(u8::from(intake.gateway.ready()))),
        (
            "tminus_servers_misconfigured",
            "Servers whose settings in the configuration file name a channel or role of another server",
            misplaced,
        ),
        ("tminus_servers_without_commands", "Servers where the slash commands could not be registered", unregistered),
        (
            "tminus_clock_confirmed",
            "Whether the time is confirmed; T-Minus sends nothing while it is not",
            f64::from(u8::from(clock.is_confirmed())),
        ),
        (
            "tminus_clock_ahead_seconds",
            "How far the machine's clock was ahead of Discord's when last confirmed; 0 within five seconds",
            ahead,
        ),
    ];
    for (name, help, value) in gauges {
        let _: Result<(), std::fmt::Error> =
            writeln!(body, "# HELP {name} {help}.\n# TYPE {name} gauge\n{name} {value}");
    }
    body.push_str("# EOF\n");
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], body)
}
