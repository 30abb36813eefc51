//! A sandbox without a bot, for any client: prints one line of JSON with the address and the token, and serves until it is
//! told to end. `cargo run -p chat-sandbox --example serve`

use chat_sandbox::{ChannelSeed, Limits, PersonSeed, RoleSeed, Sandbox, Setup, SimClock, World, wall_ms};

fn world() -> World {
    World {
        guild: 700_000_000_000_000_001,
        name: "A server".to_owned(),
        bot: "Bot".to_owned(),
        roles: vec![RoleSeed { id: 700_000_000_000_000_011, name: "Helpers".to_owned() }],
        channels: vec![ChannelSeed {
            id: 700_000_000_000_000_101,
            name: "general".to_owned(),
            category: "Channels".to_owned(),
            topic: String::new(),
        }],
        people: ["ann", "bob"]
            .into_iter()
            .zip(700_000_000_000_001_001..)
            .map(|(username, id)| PersonSeed {
                id,
                username: username.to_owned(),
                name: username.to_uppercase(),
                roles: Vec::new(),
                manages: username == "ann",
            })
            .collect(),
        ..World::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let setup = Setup {
        world: world(),
        clock: SimClock::running(wall_ms()),
        // Shaped as a token is, because clients look at its shape.
        token: "NzAw.sandbox.token".to_owned(),
        port: 0,
        limits: Limits::DISCORD,
        house: None,
        openapi: std::env::var_os("DISCORD_OPENAPI").map(Into::into),
    };
    let (token, guild) = (setup.token.clone(), setup.world.guild);
    let sandbox = Sandbox::start(setup).await?;
    let ready = serde_json::json!({
        "ready": true, "page": format!("{}/", sandbox.url()), "discord_api": sandbox.url(), "token": token, "guild": guild.to_string(),
    });
    let mut out = std::io::stdout();
    std::io::Write::write_all(&mut out, format!("{ready}\n").as_bytes())?;
    let mut ended = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = ended.recv() => {}
        done = tokio::signal::ctrl_c() => done?,
    }
    sandbox.stop();
    Ok(())
}
