"""The same notices by APScheduler with its SQLite store, for the benchmark `lateness`: jobs far ahead, and jobs that each post one message
at their instant. Usage: scheduler.py API_URL TOKEN CHANNEL DATABASE STORED FIRST_MS COUNT APART_MS"""
import http.client
import json
import sys
import threading
import time
from datetime import datetime, timezone
from urllib.parse import urlparse

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import text

API, TOKEN, CHANNEL, DATABASE = sys.argv[1:5]
STORED, FIRST_MS, COUNT, APART_MS = map(int, sys.argv[5:9])
HOST = urlparse(API).netloc
connections = threading.local()


def post(n):
    """Posts one notice."""
    if not hasattr(connections, "kept"):
        connections.kept = http.client.HTTPConnection(HOST)
    body = json.dumps({"content": f"peer {n}"})
    headers = {"authorization": f"Bot {TOKEN}", "content-type": "application/json"}
    connections.kept.request("POST", f"/api/v10/channels/{CHANNEL}/messages", body, headers)
    connections.kept.getresponse().read()


def at(ms):
    return datetime.fromtimestamp(ms / 1000, timezone.utc)


store = SQLAlchemyJobStore(url=f"sqlite:///{DATABASE}")
scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=timezone.utc, job_defaults={"misfire_grace_time": None})
scheduler.start(paused=True)
scheduler.add_job(post, "date", run_date=at(FIRST_MS + 10**10), args=[-1], id="far")
with store.engine.begin() as database:
    copies = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :stored) "
                  "INSERT INTO apscheduler_jobs SELECT 'far-' || i, next_run_time + i, job_state FROM apscheduler_jobs, n WHERE id = 'far'")
    database.execute(copies, {"stored": STORED})
for n in range(COUNT):
    scheduler.add_job(post, "date", run_date=at(FIRST_MS + n * APART_MS), args=[n], id=f"due-{n}")
scheduler.resume()
print("ready", flush=True)
time.sleep(max(0, (FIRST_MS + COUNT * APART_MS) / 1000 - time.time()) + 1.5)
