// A receiver of Alertmanager webhooks that stores each alert durably before its 2xx, for the benchmark `alerts`.
// Usage: node receiver.mjs DATABASE; prints its port.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import Database from 'better-sqlite3';

const db = new Database(process.argv[2]);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('CREATE TABLE alert (fingerprint TEXT PRIMARY KEY, state TEXT NOT NULL); CREATE TABLE journal (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL)');
const keep = db.prepare('INSERT INTO alert VALUES (?, ?) ON CONFLICT (fingerprint) DO UPDATE SET state = excluded.state');
const newest = db.prepare('SELECT hash FROM journal ORDER BY seq DESC LIMIT 1');
const append = db.prepare('INSERT INTO journal (entry, hash) VALUES (?, ?)');
const store = db.transaction((alerts) => {
  for (const alert of alerts) {
    const entry = JSON.stringify(alert);
    keep.run(alert.fingerprint, entry);
    append.run(entry, createHash('sha256').update(newest.get()?.hash ?? '').update(entry).digest('hex'));
  }
});
const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    store(JSON.parse(Buffer.concat(parts)).alerts);
    response.writeHead(202).end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
