//! The gateway: HELLO, IDENTIFY, READY, GUILD_CREATE, heartbeats, RESUME with replay.

use axum::extract::State as Axum;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::model::Session;
use crate::rest::{Shared, lock};

/// `GET /ws`.
pub(crate) async fn connect(Axum(shared): Axum<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| serve(socket, shared))
}

async fn serve(mut socket: WebSocket, shared: Shared) {
    let hello = json!({ "op": 10, "d": { "heartbeat_interval": 41_250 } });
    if socket.send(Frame::Text(hello.to_string().into())).await.is_err() {
        return;
    }
    let (live, mut events) = mpsc::unbounded_channel::<Value>();
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { return };
                if event["drop"] == true || socket.send(Frame::Text(event.to_string().into())).await.is_err() {
                    return;
                }
            }
            frame = socket.recv() => {
                let Some(Ok(frame)) = frame else { return };
                let Frame::Text(text) = frame else { continue };
                let Ok(payload) = serde_json::from_str::<Value>(&text) else { continue };
                if let Err(code) = receive(&shared, &payload, &live) {
                    let close = CloseFrame { code, reason: "".into() };
                    drop(socket.send(Frame::Close(Some(close))).await);
                    return;
                }
            }
        }
    }
}

/// One payload of the client; the error is a close code.
fn receive(shared: &Shared, payload: &Value, live: &mpsc::UnboundedSender<Value>) -> Result<(), u16> {
    let mut state = lock(shared);
    let given = payload["d"]["token"].as_str().unwrap_or_default().trim_start_matches("Bot ");
    let send = |value: Value| drop(live.send(value));
    match payload["op"].as_u64() {
        Some(1) => send(json!({ "op": 11 })),
        Some(2) => {
            if given != state.token {
                return Err(4004);
            }
            let id = state.snowflake().to_string();
            let session = Session { seq: 0, events: Vec::new(), live: Some(live.clone()) };
            state.sessions.retain(|_, s| s.live.is_some());
            state.sessions.insert(id.clone(), session);
            let ready = json!({
                "v": 10, "user": state.bot_user(), "guilds": [{ "id": state.world.guild.to_string(), "unavailable": true }],
                "session_id": id, "resume_gateway_url": format!("{}/ws", state.base.replacen("http", "ws", 1)),
                "shard": [0, 1], "application": { "id": state.app.to_string(), "flags": 0 },
            });
            state.dispatch("READY", &ready);
            let guild = state.guild_json();
            state.dispatch("GUILD_CREATE", &guild);
        }
        Some(6) => {
            let id = payload["d"]["session_id"].as_str().unwrap_or_default().to_owned();
            let authorized = given == state.token;
            let seq = payload["d"]["seq"].as_u64().unwrap_or(0);
            match state.sessions.get_mut(&id) {
                Some(session) if authorized => {
                    session.live = Some(live.clone());
                    for event in session.events.iter().filter(|e| e["s"].as_u64().unwrap_or(0) > seq) {
                        send(event.clone());
                    }
                    session.seq += 1;
                    send(json!({ "op": 0, "s": session.seq, "t": "RESUMED", "d": {} }));
                }
                _ => send(json!({ "op": 9, "d": false })),
            }
        }
        _ => {}
    }
    Ok(())
}
