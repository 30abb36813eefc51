//! The simulated Discord through its own front doors: HTTP, the gateway's socket, the control API and the page. What a bot
//! trusts Discord to do, and what Discord refuses.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]

use std::io::Read as _;
use std::time::Duration;

use chat_sandbox::{
    Act, Bot, CREATE, ChannelSeed, Fault, Limits, Message, PersonSeed, Right, RoleSeed, Sandbox, Script, Seen, Setup,
    SimClock, Step, Tale, Waiting, World,
};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const TOKEN: &str = "t";
const GUILD: u64 = 700_000_000_000_000_001;
const CHANNEL: u64 = 700_000_000_000_000_101;

struct Field {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Field {
    async fn new(limits: Limits) -> Self {
        let world = World {
            guild: GUILD,
            name: "A server".to_owned(),
            bot: "Bot".to_owned(),
            roles: vec![RoleSeed { id: 11, name: "Helpers".to_owned() }],
            channels: [(CHANNEL, "general"), (CHANNEL + 1, "other")]
                .map(|(id, name)| ChannelSeed {
                    id,
                    name: name.to_owned(),
                    category: "All".to_owned(),
                    topic: String::new(),
                })
                .to_vec(),
            people: vec![PersonSeed {
                id: 5,
                username: "ann".to_owned(),
                name: "Ann".to_owned(),
                roles: vec![11],
                manages: true,
            }],
            ..World::default()
        };
        let clock = SimClock::frozen(1_800_000_000_000);
        let setup = Setup { world, clock, token: TOKEN.to_owned(), port: 0, limits, house: None, openapi: None };
        let sandbox = Sandbox::start(setup).await.unwrap();
        Self { sandbox, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn raw(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = self.http.request(method, format!("{}/api/v10{path}", self.sandbox.url()));
        request.header("authorization", format!("Bot {TOKEN}")).json(body).send().await.unwrap()
    }

    /// Status and body.
    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let answer = self.raw(method, path, &body).await;
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn create(&self, body: Value) -> (u16, Value) {
        self.call(Method::POST, &format!("/channels/{CHANNEL}/messages"), body).await
    }

    async fn socket(&self, query: &str) -> Socket {
        let url = format!("{}/ws?v=10&encoding=json{query}", self.sandbox.url().replacen("http", "ws", 1));
        Socket(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    /// A bot that is online with one command.
    async fn online(&self) -> Socket {
        let commands = json!([{ "type": 1, "name": "echo", "description": "Says it again" }]);
        let path = format!("/applications/1/guilds/{GUILD}/commands");
        assert_eq!(self.call(Method::PUT, &path, commands).await.0, 200);
        let mut socket = self.socket("").await;
        socket.identify(1 | 1 << 9).await;
        socket
    }
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn send(&mut self, payload: Value) {
        self.0.send(Frame::text(payload.to_string())).await.unwrap();
    }

    /// The next payload, or the code it was closed with.
    async fn next(&mut self) -> Result<Value, u16> {
        let frame =
            tokio::time::timeout(Duration::from_secs(5), self.0.next()).await.expect("something within five seconds");
        match frame {
            Some(Ok(Frame::Text(text))) => Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Frame::Binary(bytes))) => {
                let mut text = String::new();
                flate2::read::ZlibDecoder::new(bytes.as_ref()).read_to_string(&mut text).unwrap();
                Ok(serde_json::from_str(&text).unwrap())
            }
            Some(Ok(Frame::Close(Some(close)))) => Err(close.code.into()),
            _ => Err(0),
        }
    }

    /// The next event of a name.
    async fn event(&mut self, name: &str) -> Value {
        loop {
            let payload = self.next().await.unwrap();
            if payload["t"] == name {
                return payload;
            }
        }
    }

    async fn identify(&mut self, intents: u64) -> Value {
        self.send(json!({ "op": 2, "d": { "token": TOKEN, "intents": intents, "properties": {} } })).await;
        let ready = self.event("READY").await;
        self.event("GUILD_CREATE").await;
        ready
    }
}

#[tokio::test]
async fn the_sixth_message_waits_and_says_how_long() {
    let field = Field::new(Limits::DISCORD).await;
    for left in (0..5).rev() {
        let answer =
            field.raw(Method::POST, &format!("/channels/{CHANNEL}/messages"), &json!({ "content": "x" })).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-ratelimit-remaining"], left.to_string().as_str());
        assert_eq!(answer.headers()["x-ratelimit-limit"], "5");
        assert!(
            answer.headers().contains_key("x-ratelimit-bucket") && answer.headers().contains_key("x-ratelimit-reset")
        );
    }
    let answer = field.raw(Method::POST, &format!("/channels/{CHANNEL}/messages"), &json!({ "content": "x" })).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["x-ratelimit-scope"].to_str().unwrap()), (429, "user"));
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 5);
    let other =
        field.call(Method::POST, &format!("/channels/{}/messages", CHANNEL + 1), json!({ "content": "x" })).await;
    assert_eq!(other.0, 200, "another channel has a bucket of its own");
}

#[tokio::test]
async fn the_whole_bot_has_a_limit_that_callbacks_do_not_count_in() {
    let field = Field::new(Limits { per_five_seconds: 1_000, global_per_second: 10, ..Limits::DISCORD }).await;
    let mut refused = 0;
    for _ in 0..12 {
        let answer = field.raw(Method::GET, "/users/@me", &Value::Null).await;
        if answer.status() == 429 {
            assert_eq!(answer.headers()["x-ratelimit-global"], "true");
            refused += 1;
        }
    }
    assert!(refused >= 1, "more than ten in a second");
    let callback = field.call(Method::POST, "/interactions/1/none/callback", json!({ "type": 5 })).await;
    assert_eq!((callback.0, callback.1["code"].as_u64()), (404, Some(10_062)));
}

#[tokio::test]
async fn what_is_over_a_limit_is_refused_and_kept_in_mind() {
    let field = Field::new(Limits::WIDE).await;
    for body in [
        json!({ "content": "x".repeat(2001) }),
        json!({ "content": "x", "nonce": "n".repeat(26) }),
        json!({ "content": "x", "contents": "misspelt" }),
        json!({ "embeds": [{ "title": "t".repeat(257) }] }),
        json!({ "content": "x", "allowed_mentions": { "parse": ["users"], "users": ["5"] } }),
        json!({ "content": "x", "flags": 1 << 15, "components": [{ "type": 10, "content": "y" }] }),
        json!({ "content": "x", "components": [{ "type": 1, "components": [
            { "type": 2, "style": 1, "label": "a", "custom_id": "same" }, { "type": 2, "style": 1, "label": "b", "custom_id": "same" },
        ] }] }),
    ] {
        let (status, answer) = field.create(body.clone()).await;
        assert_eq!((status, answer["code"].as_u64()), (400, Some(50_035)), "{body}");
    }
    assert_eq!(field.sandbox.violations().len(), 7);
    assert_eq!(field.create(json!({})).await.1["code"], 50_006, "an empty message");
    let answer = field.http.get(format!("{}/api/v10/users/@me", field.sandbox.url())).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(field.call(Method::GET, "/nowhere", Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_nonce_gives_the_first_message_and_a_deleted_one_nothing() {
    let field = Field::new(Limits::WIDE).await;
    let body = json!({ "content": "once", "nonce": "abc", "enforce_nonce": true });
    let (_, first) = field.create(body.clone()).await;
    let (_, second) = field.create(body.clone()).await;
    assert_eq!(first["id"], second["id"]);
    field.sandbox.delete(first["id"].as_str().unwrap().parse().unwrap());
    assert_eq!(field.create(body.clone()).await.1["code"], 10_008);
    field.sandbox.clock().move_to(field.sandbox.clock().now_ms() + 180_000);
    assert_eq!(field.create(body).await.0, 200, "the window is over");
}

#[tokio::test]
async fn the_gateway_closes_with_discords_codes() {
    let field = Field::new(Limits::WIDE).await;
    let big = json!({ "op": 3, "d": { "x": "x".repeat(5_000) } });
    let identify =
        |intents: u64, token: &str| json!({ "op": 2, "d": { "token": token, "intents": intents, "properties": {} } });
    for (payload, code) in [
        (identify(1, "wrong"), 4004),
        (json!({ "op": 3, "d": {} }), 4003),
        (json!({ "op": 99 }), 4001),
        (big, 4002),
        (identify(1 << 40, TOKEN), 4013),
        (identify(1 << 15, TOKEN), 4014),
        (json!({ "op": 6, "d": { "token": "wrong", "session_id": "x", "seq": 0 } }), 4004),
    ] {
        let mut socket = field.socket("").await;
        assert_eq!(socket.next().await.unwrap()["op"], 10);
        socket.send(payload.clone()).await;
        assert_eq!(socket.next().await, Err(code), "{payload}");
    }
    let mut socket = field.socket("").await;
    socket.identify(1).await;
    socket.send(identify(1, TOKEN)).await;
    assert_eq!(socket.next().await, Err(4005));
    let mut socket = field.socket("").await;
    socket.send(json!({ "op": 6, "d": { "token": TOKEN, "session_id": "unknown", "seq": 1 } })).await;
    let invalid = loop {
        let payload = socket.next().await.unwrap();
        if payload["op"] == 9 {
            break payload;
        }
    };
    assert_eq!(invalid["d"], false);
}

#[tokio::test]
async fn a_dropped_session_resumes_and_hears_what_it_missed() {
    let field = Field::new(Limits::WIDE).await;
    let mut socket = field.socket("").await;
    let ready = socket.identify(1 | 1 << 9).await;
    field.sandbox.drop_gateway();
    assert!(socket.next().await.is_err());
    field.sandbox.say("ann", "general", "said meanwhile").unwrap();
    let mut socket = field.socket("").await;
    socket.send(json!({ "op": 6, "d": { "token": TOKEN, "session_id": ready["d"]["session_id"], "seq": 2 } })).await;
    let missed = socket.event("MESSAGE_CREATE").await;
    assert_eq!(missed["d"]["content"], "", "the words need an intent nobody gave");
    assert_eq!(missed["s"], 3);
    socket.event("RESUMED").await;
}

#[tokio::test]
async fn payloads_are_compressed_one_by_one_or_as_a_stream() {
    let field = Field::new(Limits::WIDE).await;
    let mut socket = field.socket("").await;
    socket.send(json!({ "op": 2, "d": { "token": TOKEN, "intents": 1, "compress": true, "properties": {} } })).await;
    socket.event("READY").await;
    assert_eq!(socket.event("GUILD_CREATE").await["d"]["name"], "A server");

    let mut socket = field.socket("&compress=zlib-stream").await;
    let mut stream = flate2::Decompress::new(true);
    let mut inflate = |bytes: &[u8]| -> Value {
        assert!(bytes.ends_with(&[0, 0, 0xff, 0xff]), "each payload ends with a flush");
        let mut out = Vec::with_capacity(64 * 1024);
        stream.decompress_vec(bytes, &mut out, flate2::FlushDecompress::Sync).unwrap();
        serde_json::from_slice(&out).unwrap()
    };
    let mut seen = Vec::new();
    for n in 0..3 {
        let Some(Ok(Frame::Binary(bytes))) = socket.0.next().await else { panic!("a binary frame") };
        seen.push(inflate(&bytes));
        if n == 0 {
            socket.send(json!({ "op": 2, "d": { "token": TOKEN, "intents": 1, "properties": {} } })).await;
        }
    }
    assert_eq!((&seen[0]["op"], &seen[1]["t"], &seen[2]["t"]), (&json!(10), &json!("READY"), &json!("GUILD_CREATE")));
}

#[tokio::test]
async fn an_interaction_has_three_seconds_one_answer_and_fifteen_minutes() {
    let field = Field::new(Limits::WIDE).await;
    let mut socket = field.online().await;
    let sandbox = field.sandbox.clone();
    let typed = tokio::spawn(async move { sandbox.slash("ann", "general", "echo", &[], None).await.unwrap() });
    let event = socket.event("INTERACTION_CREATE").await["d"].clone();
    let (id, token) = (event["id"].as_str().unwrap(), event["token"].as_str().unwrap());
    let callback = format!("/interactions/{id}/{token}/callback");
    assert_eq!(
        field.call(Method::POST, &format!("/interactions/{id}/other/callback"), json!({ "type": 5 })).await.1["code"],
        10_062
    );
    assert_eq!(field.call(Method::POST, &callback, json!({ "type": 5, "data": { "flags": 64 } })).await.0, 204);
    assert_eq!(field.call(Method::POST, &callback, json!({ "type": 5 })).await.1["code"], 40_060);
    let edit = format!("/webhooks/1/{token}/messages/@original");
    assert_eq!(field.call(Method::PATCH, &edit, json!({ "content": "late" })).await.0, 200);
    let Seen::Message(message) = typed.await.unwrap() else { panic!("a message") };
    assert_eq!((message.only, message.body["content"].as_str()), (Some(5), Some("late")), "seen by its user alone");
    let (_, more) = field.call(Method::POST, &format!("/webhooks/1/{token}"), json!({ "content": "more" })).await;
    assert_eq!(more["flags"], 0);
    field.sandbox.clock().move_to(field.sandbox.clock().now_ms() + 16 * 60_000);
    assert_eq!(field.call(Method::PATCH, &edit, json!({ "content": "too late" })).await.1["code"], 50_027);

    let sandbox = field.sandbox.clone();
    let typed = tokio::spawn(async move { sandbox.slash("ann", "general", "echo", &[], None).await.unwrap() });
    let event = socket.event("INTERACTION_CREATE").await["d"].clone();
    assert!(matches!(typed.await.unwrap(), Seen::Nothing), "nobody answered within three seconds");
    let callback =
        format!("/interactions/{}/{}/callback", event["id"].as_str().unwrap(), event["token"].as_str().unwrap());
    assert_eq!(field.call(Method::POST, &callback, json!({ "type": 5 })).await.1["code"], 10_062);
}

#[tokio::test]
async fn rights_that_are_taken_are_missed() {
    let field = Field::new(Limits::WIDE).await;
    let embed = json!({ "embeds": [{ "title": "t" }] });
    let history = format!("/channels/{CHANNEL}/messages");
    assert_eq!(field.create(embed.clone()).await.0, 200);
    field.sandbox.revoke(Right::EmbedLinks, Some("general"), true);
    assert_eq!(field.create(embed.clone()).await.1["code"], 50_013);
    assert_eq!(field.create(json!({ "content": "text still goes" })).await.0, 200);
    field.sandbox.revoke(Right::ReadMessageHistory, Some("general"), true);
    assert_eq!(field.call(Method::GET, &history, Value::Null).await, (200, json!([])));
    field.sandbox.revoke(Right::ViewChannel, None, true);
    assert_eq!(field.call(Method::GET, &history, Value::Null).await.1["code"], 50_001);
    field.sandbox.mend();
    assert_eq!(field.call(Method::GET, &history, Value::Null).await.1.as_array().unwrap().len(), 2);
    assert!(field.sandbox.delete_channel("general"));
    assert_eq!(field.create(embed).await.1["code"], 10_003);
}

#[tokio::test]
async fn faults_are_scripted_by_route_and_the_same_for_the_same_seed() {
    let field = Field::new(Limits::WIDE).await;
    field.sandbox.fail_next(&[Fault::FailAfter, Fault::FailBefore, Fault::Status(503)]);
    for status in [502, 502, 503, 200] {
        assert_eq!(field.create(json!({ "content": "x" })).await.0, status);
    }
    assert_eq!(field.sandbox.messages("general").len(), 2, "the first was stored although its answer failed");
    let luck = async |seed: u64| {
        let body = json!({ "script": { "route": CREATE, "fault": "fail_before", "chance": 0.5, "seed": seed } });
        let url = format!("{}/control/faults", field.sandbox.url());
        assert_eq!(field.http.post(url).json(&body).send().await.unwrap().status(), 200);
        let mut drawn = Vec::new();
        for _ in 0..20 {
            drawn.push(field.create(json!({ "content": "x" })).await.0);
        }
        field.sandbox.mend();
        drawn
    };
    let first = luck(7).await;
    assert_eq!(first, luck(7).await);
    assert_ne!(first, luck(8).await);
    field.sandbox.script(Script { route: String::new(), fault: Fault::Slow(120), times: Some(1), chance: 1.0 });
    let begun = tokio::time::Instant::now();
    assert_eq!(field.call(Method::GET, "/users/@me", Value::Null).await.0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn threads_pins_channels_and_events_are_kept() {
    let field = Field::new(Limits::WIDE).await;
    let (_, message) = field.create(json!({ "content": "x" })).await;
    let id = message["id"].as_str().unwrap();
    let threads = format!("/channels/{CHANNEL}/messages/{id}/threads");
    let (status, thread) = field.call(Method::POST, &threads, json!({ "name": "a thread" })).await;
    assert_eq!((status, thread["id"].as_str()), (201, Some(id)), "a thread has its message's id");
    assert_eq!(field.call(Method::POST, &threads, json!({ "name": "again" })).await.1["code"], 160_004);
    assert_eq!(field.call(Method::PUT, &format!("/channels/{CHANNEL}/messages/pins/{id}"), Value::Null).await.0, 204);
    let (_, pins) = field.call(Method::GET, &format!("/channels/{CHANNEL}/messages/pins"), Value::Null).await;
    assert_eq!(pins["items"][0]["message"]["id"], id);
    let (_, made) = field.call(Method::POST, &format!("/guilds/{GUILD}/channels"), json!({ "name": "new" })).await;
    assert_eq!(made["name"], "new");
    let event = json!({
        "name": "Release", "privacy_level": 2, "entity_type": 3, "scheduled_start_time": "2027-06-01T10:00:00Z",
        "scheduled_end_time": "2027-06-01T11:00:00Z", "entity_metadata": { "location": "here" },
    });
    let events = format!("/guilds/{GUILD}/scheduled-events");
    assert_eq!(field.call(Method::POST, &events, event.clone()).await.0, 200);
    let mut nowhere = event;
    nowhere["entity_metadata"] = json!({});
    assert_eq!(field.call(Method::POST, &events, nowhere).await.0, 400);
    assert_eq!(field.call(Method::GET, &events, Value::Null).await.1.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_page_shows_hostile_words_as_words_and_answers_only_its_own_machine() {
    let field = Field::new(Limits::WIDE).await;
    let hostile =
        "<img src=x onerror=alert(1)> [a](javascript:alert(1)) <script>alert(1)</script> \" onclick=\"alert(1)";
    let body = json!({ "content": hostile, "embeds": [{ "title": hostile, "description": hostile, "fields": [{ "name": hostile, "value": hostile }] }],
        "components": [{ "type": 1, "components": [{ "type": 2, "style": 1, "label": "\"><script>", "custom_id": "\"><b>" }] }] });
    assert_eq!(field.create(body).await.0, 200);
    field.sandbox.say("ann", "general", hostile).unwrap();
    let page = field.http.get(field.sandbox.url()).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(
        !html.contains("<script>")
            && !html.contains("<img src=x")
            && !html.contains("href=\"javascript")
            && !html.contains("\" onclick=\"")
    );
    assert!(!html.contains(" style=\""), "the policy allows no style inside");
    let foreign = field.http.get(field.sandbox.url()).header("host", "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    let post =
        field.http.post(format!("{}/control/clock", field.sandbox.url())).header("origin", "https://evil.example");
    assert_eq!(post.json(&json!({ "minutes": 5 })).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_page_hears_what_changed_before_it_listened() {
    let field = Field::new(Limits::WIDE).await;
    field.sandbox.say("ann", "general", "said while the page was loading").unwrap();
    let mut events = field.http.get(format!("{}/events", field.sandbox.url())).send().await.unwrap();
    let first = tokio::time::timeout(Duration::from_secs(10), events.chunk()).await.expect("an event at once");
    assert!(String::from_utf8(first.unwrap().unwrap().to_vec()).unwrap().starts_with("data:"));
}

/// A bot that says no with the word, and has something to do at one instant.
#[derive(Debug)]
struct Sayer {
    clock: SimClock,
    due: i64,
}

impl Bot for Sayer {
    fn next_due(&self) -> Waiting<Option<i64>> {
        let due = Some(self.due).filter(|due| *due > self.clock.now_ms());
        Box::pin(async move { due })
    }

    fn quiet(&self) -> Waiting<Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn signal(&self, _: &str, _: f64) -> Waiting<Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn refuses(&self, said: &Message) -> bool {
        said.headline() == "no"
    }
}

#[tokio::test]
async fn a_story_holds_the_clock_waits_for_retries_and_stops_at_a_refusal() {
    let field = Field::new(Limits::WIDE).await;
    let sandbox = field.sandbox.clone();
    let clock = sandbox.clock().clone();
    let step = |act: Act, refused: bool| Step {
        caption: "a step".to_owned(),
        who: "ann".to_owned(),
        channel: "general".to_owned(),
        act,
        refused,
    };
    let echo = || Act::Slash { path: "echo".to_owned(), options: Vec::new(), file: None };
    let steps = vec![
        step(Act::Say("hello".to_owned()), false),
        step(echo(), false),
        step(echo(), true),
        step(Act::Publish { state: "Completed".to_owned(), text: "Done.".to_owned() }, false),
    ];
    sandbox.tell(Tale { name: "short".to_owned(), title: "Short".to_owned(), steps, others: Vec::new() });
    assert!(sandbox.play_next().await.unwrap_err().contains("not connected"));

    let mut socket = field.online().await;
    clock.set_running(true);
    let begun = clock.now_ms();
    sandbox.attach(Some(std::sync::Arc::new(Sayer { clock: clock.clone(), due: begun + 300 })));
    assert!(sandbox.play_next().await.unwrap());
    assert!(!clock.is_running(), "the clock stands still while the story is played");
    assert!(clock.now_ms() < begun + 300);
    let missing = step(Act::Press { label: "Later".to_owned(), fill: Vec::new() }, false);
    assert!(sandbox.play(&missing).await.unwrap_err().contains("no button"));
    assert_eq!(clock.now_ms(), begun + 300, "what is due within seconds is waited for where a message is missed");

    for (says, outcome) in [("no", Err("no")), ("yes", Ok(true)), ("yes", Err("should have refused")), ("no", Ok(true))]
    {
        let playing = tokio::spawn({
            let sandbox = sandbox.clone();
            async move { sandbox.play_next().await }
        });
        let event = socket.event("INTERACTION_CREATE").await["d"].clone();
        let callback =
            format!("/interactions/{}/{}/callback", event["id"].as_str().unwrap(), event["token"].as_str().unwrap());
        let answer = json!({ "type": 4, "data": { "content": says, "flags": 64 } });
        assert_eq!(field.call(Method::POST, &callback, answer).await.0, 204);
        match (playing.await.unwrap(), outcome) {
            (Ok(played), Ok(wanted)) => assert_eq!(played, wanted),
            (Err(why), Err(wanted)) => assert!(why.contains(wanted), "{why}"),
            (got, wanted) => panic!("{got:?}, wanted {wanted:?}"),
        }
    }
    assert!(sandbox.play_next().await.unwrap());
    assert_eq!(sandbox.status_posts()[0].text, "Done.");
    assert!(clock.is_running(), "the story is over");
    assert!(!sandbox.play_next().await.unwrap());
}

#[tokio::test]
async fn what_cannot_be_done_is_an_answer_with_an_error() {
    let field = Field::new(Limits::WIDE).await;
    for (path, body, words) in [
        ("status", json!({ "who": "ann", "state": "Fine", "text": "x" }), "The state must be one of"),
        ("status", json!({ "who": "ann", "state": "Outage", "text": " " }), "1 to 500"),
        ("faults", json!({ "delete_message": "5" }), "There is no such"),
        ("faults", json!({ "revoke": { "right": "Send Messages", "channel": "nowhere" } }), "There is no such"),
        (
            "faults",
            json!({ "script": { "route": "POST /channels/{id}/messages", "fault": "fail_before" } }),
            "Write the route",
        ),
        ("faults", json!({ "script": { "route": "", "fault": "fail_before", "times": 0 } }), "at least once"),
        ("faults", json!({ "script": { "route": "", "fault": "fail_before", "chance": 7 } }), "between 0 and 1"),
        ("story", json!({ "begin": "none" }), "can't start stories"),
        ("act", json!({ "who": "ann", "channel": "general", "say": { "text": "" } }), "1 to 2,000"),
    ] {
        let answer =
            field.http.post(format!("{}/control/{path}", field.sandbox.url())).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["error"].as_str().unwrap().contains(words), "{path}: {answer}");
    }
}
