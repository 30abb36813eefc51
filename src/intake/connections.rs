//! The intake's connections: how many there are, how long one may take, and which goes when there are too many, so that no sender
//! keeps the others, or the gateway, from working. It must not know what is asked.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a sender may take for a request's head, and for the next request on a connection it keeps.
const HEAD: Duration = Duration::from_secs(10);
/// Connections in all, where the process may open [`FILES`] files or more; a quarter of the files where it may open fewer.
const MOST: usize = 256;
const FILES: usize = 4 * MOST;
/// How long to wait where the system has no file for another connection.
const NO_FILE: Duration = Duration::from_millis(100);

/// Serves a router until cancelled; what was begun is finished.
pub(super) async fn serve(listener: TcpListener, app: Router, stop: CancellationToken) {
    let (open, tasks) = (Open::new(most()), TaskTracker::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let place = open.enter(peer.ip());
                tasks.spawn(connection(stream, app.clone(), place, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "connection not accepted");
                tokio::time::sleep(NO_FILE).await;
            }
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// How many connections leave most files to the gateway, the database and the sending.
fn most() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let files = files.map_or(FILES, |files| usize::try_from(files).unwrap_or(FILES));
    (files / 4).clamp(1, MOST)
}

/// One connection, until it ends, has to make room, or the service stops.
async fn connection(stream: TcpStream, app: Router, place: Place, stop: CancellationToken) {
    let service = service_fn(|request: Request<Incoming>| {
        place.active();
        answer(app.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A sender that broke off, or was too slow, is no fault of ours.
        _ended = connection.as_mut() => {}
        () = place.gone.cancelled() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

/// Answers in a task of its own: what was begun on the database is finished even where the connection ends first.
async fn answer(app: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    let answering = tokio::spawn(TowerToHyperService::new(app).call(request.map(Body::new)));
    Ok(match answering.await {
        Ok(Ok(response)) => response,
        Err(panic) => {
            tracing::error!(error = &panic as &dyn std::error::Error, "answering a request crashed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}

/// The open connections. Clones share them.
#[derive(Debug, Clone)]
struct Open {
    most: usize,
    inner: Arc<Mutex<Entries>>,
}

#[derive(Debug, Default)]
struct Entries {
    all: Vec<Entry>,
    /// The number of the next: none is used twice.
    next: u64,
}

#[derive(Debug)]
struct Entry {
    no: u64,
    peer: IpAddr,
    active: Instant,
    gone: CancellationToken,
}

/// A connection's place among the open ones; free again when it is dropped.
#[derive(Debug)]
struct Place {
    open: Open,
    no: u64,
    /// It has to make room.
    gone: CancellationToken,
}

impl Open {
    fn new(most: usize) -> Self {
        Self { most, inner: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection. Where its address has half of all places, or none is left, the one that was silent longest makes
    /// room: of that address, or of all.
    fn enter(&self, peer: IpAddr) -> Place {
        let mut entries = self.lock();
        let of_one = entries.all.iter().filter(|entry| entry.peer == peer).count();
        let full = entries.all.len() >= self.most;
        if full || of_one >= self.most.div_ceil(2) {
            let candidates = entries.all.iter().enumerate().filter(|(_, entry)| full || entry.peer == peer);
            let silent = candidates.min_by_key(|(_, entry)| entry.active).map(|(at, _)| at);
            if let Some(entry) = silent.map(|at| entries.all.swap_remove(at)) {
                entry.gone.cancel();
            }
        }
        let (no, gone) = (entries.next, CancellationToken::new());
        entries.next += 1;
        entries.all.push(Entry { no, peer, active: Instant::now(), gone: gone.clone() });
        drop(entries);
        Place { open: self.clone(), no, gone }
    }
}

impl Place {
    /// It asked something just now.
    fn active(&self) {
        if let Some(entry) = self.open.lock().all.iter_mut().find(|entry| entry.no == self.no) {
            entry.active = Instant::now();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.lock().all.retain(|entry| entry.no != self.no);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_silent_connection_makes_room() {
        let (open, second) = (Open::new(4), Duration::from_secs(1));
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut places = Vec::new();
        for peer in [one, other, one, other] {
            places.push(open.enter(peer));
            tokio::time::advance(second).await;
        }
        places[0].active();
        tokio::time::advance(second).await;
        let gone = |places: &[Place]| places.iter().map(|place| place.gone.is_cancelled()).collect::<Vec<_>>();
        places.push(open.enter(IpAddr::from([10, 0, 0, 3])));
        assert_eq!(gone(&places), [false, true, false, false, false], "the first asked something since");
        places.remove(3);
        places.push(open.enter(one));
        assert_eq!(gone(&places), [false, true, true, false, false], "an address keeps half of the places");
        places.clear();
        assert!(open.lock().all.is_empty());

        // The newest makes room as well, and its place is not another's.
        let open = Open::new(4);
        let older: Vec<Place> = [other, one].map(|peer| open.enter(peer)).into();
        let newest = open.enter(one);
        tokio::time::advance(second).await;
        older.iter().for_each(Place::active);
        let next = open.enter(one);
        assert!(newest.gone.is_cancelled() && !next.gone.is_cancelled());
        drop(newest);
        assert_eq!(open.lock().all.len(), 3, "it is counted");
        drop((older, next));
    }
}
