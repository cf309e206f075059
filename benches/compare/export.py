"""An export of calls, always the same for the same size, with rows of the form that ../export.rs makes."""

import csv
import json
import random
from datetime import datetime, timedelta, timezone

HEADINGS = "id,started_at,duration,direction,status,agent,line,from,to,email,recording,notes"
FIRST_CALL = datetime(2019, 1, 1, tzinfo=timezone.utc)
SPAN = timedelta(days=1825)
WORDS = (
    "asked about the order that came late and wants a refund for two items will call back on Monday we sent her new "
    "parts"
).split()


def write(path, calls, customers):
    """Writes `calls` calls, spread evenly over `customers` customers: about 330 bytes a row."""
    chance = random.Random(7)
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(HEADINGS + "\n")
        for number in range(calls):
            customer = number % customers
            started = FIRST_CALL + timedelta(seconds=int(SPAN.total_seconds()) * number // calls)
            far, own = f"+155501{customer % 100:02}", "+15550100"
            direction, caller, called = chance.choice([("inbound", far, own), ("outbound", own, far)])
            out.write(
                f"call-{number:08},{started:%Y-%m-%dT%H:%M:%SZ},{chance.randrange(5, 3000)},{direction},answered,"
                f"Alex Example {chance.randrange(1, 40)},Support EN,{caller},{called},"
                f"customer{customer}@example.com,https://recordings.example.com/calls/{number:08}.mp3,"
                f"{' '.join(chance.choices(WORDS, k=30))}\n"
            )


def bodies(path):
    """A request body for each row, as the documents of Help Scout show it: what everybody but callport sends."""
    with open(path, encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            customer = {"email": row["email"]}
            text = f"{row['direction']} call {row['id']}, {row['duration']} s, {row['agent']}\n{row['notes']}\n{row['recording']}"
            thread = {"type": "phone", "customer": customer, "text": text, "imported": True}
            thread["createdAt"] = row["started_at"]
            yield {
                "subject": "Phone call",
                "type": "phone",
                "mailboxId": 85,
                "status": "closed",
                "imported": True,
                "createdAt": row["started_at"],
                "customer": customer,
                "threads": [thread],
            }


if __name__ == "__main__":
    import sys

    for body in bodies(sys.argv[1]):
        print(json.dumps(body))
