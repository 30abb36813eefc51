//! The gateway: HELLO, IDENTIFY, READY, GUILD_CREATE, heartbeats, RESUME with replay, close codes, zlib.
//! <https://discord.com/developers/docs/events/gateway>

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State as Axum};
use axum::response::Response;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::model::{Outgoing, Session, State};
use crate::rest::{Shared, lock};

const HEARTBEAT: Duration = Duration::from_millis(41_250);
/// A client may send this much in a minute, and this much at once.
const SENDS_A_MINUTE: usize = 120;
const MAX_PAYLOAD: usize = 4_096;
/// Sessions that can be resumed.
const SESSIONS: usize = 32;
/// Larger payloads are compressed for a client that asked for it.
const COMPRESS_FROM: usize = 512;

#[derive(Debug, serde::Deserialize)]
pub(crate) struct Ask {
    #[serde(default)]
    compress: String,
}

/// `GET /ws`.
pub(crate) async fn connect(Axum(shared): Axum<Shared>, Query(ask): Query<Ask>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| serve(socket, shared, ask.compress == "zlib-stream"))
}

/// How payloads go out.
enum Wire {
    Text,
    /// Large payloads one by one, as IDENTIFY asked.
    Payload,
    /// One stream for the whole connection, as the address asked.
    Stream(Box<Compress>),
}

impl Wire {
    fn frame(&mut self, text: &str) -> Frame {
        match self {
            Self::Payload if text.len() >= COMPRESS_FROM => {
                Frame::Binary(deflate(&mut Compress::new(Compression::fast(), true), text.as_bytes(), true).into())
            }
            Self::Text | Self::Payload => Frame::Text(Utf8Bytes::from(text)),
            Self::Stream(stream) => Frame::Binary(deflate(stream, text.as_bytes(), false).into()),
        }
    }
}

fn deflate(stream: &mut Compress, bytes: &[u8], whole: bool) -> Vec<u8> {
    let flush = if whole { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    let mut fed = 0;
    loop {
        out.reserve(256);
        let before = stream.total_in();
        let produced = stream.total_out();
        let done = stream.compress_vec(&bytes[fed..], &mut out, flush);
        fed += usize::try_from(stream.total_in() - before).unwrap_or(0);
        let full = out.len() == out.capacity();
        if done.is_err() || (fed == bytes.len() && !full) || (stream.total_out() == produced && !full) {
            return out;
        }
    }
}

/// What a connection has done so far.
#[derive(Default)]
struct Connection {
    session: Option<String>,
    sends: VecDeque<Instant>,
    compress: bool,
}

async fn serve(mut socket: WebSocket, shared: Shared, stream: bool) {
    if lock(&shared).gateway_shut {
        return;
    }
    let mut wire = if stream { Wire::Stream(Box::new(Compress::new(Compression::fast(), true))) } else { Wire::Text };
    let interval = u64::try_from(HEARTBEAT.as_millis()).unwrap_or(41_250);
    let hello = json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": interval } }).to_string();
    if socket.send(wire.frame(&hello)).await.is_err() {
        return;
    }
    let (live, mut events) = mpsc::unbounded_channel::<Outgoing>();
    let mut connection = Connection::default();
    let mut deadline = Instant::now() + HEARTBEAT * 3 / 2;
    let code = loop {
        tokio::select! {
            event = events.recv() => {
                match event {
                    None | Some(Outgoing::Drop) => break None,
                    Some(Outgoing::Close(code)) => break Some(code),
                    Some(Outgoing::Payload(text)) => {
                        if socket.send(wire.frame(&text)).await.is_err() {
                            break None;
                        }
                    }
                }
            }
            frame = socket.recv() => {
                let Some(Ok(frame)) = frame else { break None };
                let text = match frame {
                    Frame::Text(text) => text.to_string(),
                    Frame::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    Frame::Close(_) => {
                        // As Discord does, the client's close is answered: reading on sends the answer.
                        drop(socket.recv().await);
                        break None;
                    }
                    Frame::Ping(_) | Frame::Pong(_) => continue,
                };
                deadline = Instant::now() + HEARTBEAT * 3 / 2;
                if let Err(code) = receive(&shared, &text, &live, &mut connection) {
                    break Some(code);
                }
                if connection.compress && matches!(wire, Wire::Text) {
                    wire = Wire::Payload;
                }
            }
            () = tokio::time::sleep_until(deadline) => break Some(4009),
        }
    };
    drop(events);
    lock(&shared).touch();
    if let Some(code) = code {
        drop(socket.send(Frame::Close(Some(CloseFrame { code, reason: reason(code).into() }))).await);
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        4001 => "Unknown opcode.",
        4002 => "Error while decoding payload.",
        4003 => "Not authenticated.",
        4004 => "Authentication failed.",
        4005 => "Already authenticated.",
        4007 => "Invalid `seq`.",
        4008 => "Rate limited.",
        4009 => "Session timed out.",
        4010 => "Invalid shard.",
        4013 => "Invalid intent(s).",
        4014 => "Disallowed intent(s).",
        _ => "",
    }
}

/// Intents that need a grant nobody gave here: presences, members, message content.
const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | 1 << 15;
const KNOWN_INTENTS: u64 = (1 << 26) - 1;

/// One payload of the client; the error is a close code.
fn receive(
    shared: &Shared,
    text: &str,
    live: &mpsc::UnboundedSender<Outgoing>,
    connection: &mut Connection,
) -> Result<(), u16> {
    let now = Instant::now();
    while connection.sends.front().is_some_and(|at| now.duration_since(*at) > Duration::from_secs(60)) {
        connection.sends.pop_front();
    }
    connection.sends.push_back(now);
    if connection.sends.len() > SENDS_A_MINUTE {
        return Err(4008);
    }
    if text.len() > MAX_PAYLOAD {
        return Err(4002);
    }
    let payload: Value = serde_json::from_str(text).map_err(|_malformed| 4002_u16)?;
    let mut state = lock(shared);
    let send = |text: Arc<str>| drop(live.send(Outgoing::Payload(text)));
    let say = |value: Value| send(value.to_string().into());
    match payload["op"].as_u64() {
        Some(1) => say(json!({ "op": 11, "s": null, "t": null, "d": null })),
        Some(2) => return identify(&mut state, &payload["d"], live, connection),
        Some(6) => {
            let data = &payload["d"];
            if token(data) != state.token {
                return Err(4004);
            }
            let id = data["session_id"].as_str().unwrap_or_default().to_owned();
            let seq = data["seq"].as_u64().unwrap_or(0);
            match state.sessions.get_mut(&id) {
                Some(session) if seq > session.seq => return Err(4007),
                // What was dropped from the replay cannot be made up for.
                Some(session) if session.events.front().is_none_or(|(no, _)| *no <= seq + 1) => {
                    connection.session = Some(id);
                    session.live = Some(live.clone());
                    for (_, text) in session.events.iter().filter(|(no, _)| *no > seq) {
                        send(Arc::clone(text));
                    }
                    session.send("RESUMED", &json!({}));
                    state.touch();
                }
                _ => say(json!({ "op": 9, "s": null, "t": null, "d": false })),
            }
        }
        Some(3 | 4 | 8 | 31) if connection.session.is_some() => {}
        Some(3 | 4 | 8 | 31) => return Err(4003),
        _ => return Err(4001),
    }
    Ok(())
}

fn token(data: &Value) -> &str {
    data["token"].as_str().unwrap_or_default().trim_start_matches("Bot ")
}

fn identify(
    state: &mut State,
    data: &Value,
    live: &mpsc::UnboundedSender<Outgoing>,
    connection: &mut Connection,
) -> Result<(), u16> {
    if connection.session.is_some() {
        return Err(4005);
    }
    if token(data) != state.token {
        return Err(4004);
    }
    // One shard is all there is.
    if data["shard"].is_array() && data["shard"] != json!([0, 1]) {
        return Err(4010);
    }
    let intents = data["intents"].as_u64().ok_or(4013_u16)?;
    if intents & !KNOWN_INTENTS != 0 {
        return Err(4013);
    }
    if intents & PRIVILEGED != 0 {
        return Err(4014);
    }
    connection.compress = data["compress"] == true;
    let id = state.snowflake().to_string();
    let mut session = Session { seq: 0, intents, events: VecDeque::new(), live: Some(live.clone()) };
    let ready = json!({
        "v": 10, "user": state.bot_user(), "guilds": [{ "id": state.world.guild.to_string(), "unavailable": true }],
        "session_id": id, "session_type": "normal", "resume_gateway_url": format!("{}/ws", state.base.replacen("http", "ws", 1)),
        "shard": [0, 1], "application": { "id": state.app.to_string(), "flags": 0 }, "private_channels": [],
        "presences": [], "relationships": [], "user_settings": {}, "_trace": [],
    });
    session.send("READY", &ready);
    if intents & 1 != 0 {
        session.send("GUILD_CREATE", &state.guild_json());
    }
    state.sessions.insert(id.clone(), session);
    while state.sessions.len() > SESSIONS {
        state.sessions.pop_first();
    }
    connection.session = Some(id);
    state.touch();
    Ok(())
}
