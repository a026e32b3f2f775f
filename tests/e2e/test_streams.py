"""What has no end in sight, or is no HTTP any more, arrives as it is sent: server-sent events, long polling, gRPC-Web,
WebSockets, tunnels within TLS. Each without rules, and beside rules that do not apply."""

import json

import world

STREAM = ("/usr/bin/python3", "-B", "stream_origin.py")
CHAT = ("/usr/bin/python3", "-B", "chat_origin.py")
NODE = ("node", "h2_origin.mjs")

# They look at what these exchanges are, would edit, hold back and slow down, and do not apply to any of them.
ELSEWHERE = {"rules": [
    {"name": "edit", "match": 'http.host == "elsewhere.test" and response.body.text contains "data"', "body": "x"},
    {"name": "slow", "match": 'http.request.uri.path == "/elsewhere"', "delay": "5s", "chunk_delay": "5s"},
    {"name": "narrow", "match": "http.response.code == 418", "throttle": {"down": "1B"}},
    {"name": "busy", "match": 'aws.service == "s3"', "fault": "aws:throttle"},
    {"name": "other-room", "match": 'http.request.uri.query == "room=nobody"', "keep_messages": True}]}


class Streams(world.Case):
    def begin(self):
        job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"})
        return job

    def intercept(self, job):
        self.attach(job)

    def exchange(self, **wanted):
        """The newest exchange with these members, as it is shown."""
        found = [one for one in self.daemon.read_lines("flows") if all(one.get(key) == value for key, value in wanted.items())]
        self.assertTrue(found, f"no exchange {wanted}")
        return self.daemon.read("show", str(found[-1]["id"]))

    def over(self, **wanted):
        """The same, once what went through it is over."""
        return world.process.until(lambda: (one := self.exchange(**wanted)) and not one["conversation"]["open"] and one, 10,
                                   f"the end of {wanted} is recorded")

    def parts_arrive_one_by_one(self, host, kind, count=41):
        job = self.begin()
        direct = self.python(job, "streams.py", host, str(count), kind)
        self.intercept(job)
        found = self.python(job, "streams.py", host, str(count), kind)
        for one in (direct, found):
            self.assertEqual((one["parts"], one["in order"]), (count, True))
        print(f"      {kind}: from an acknowledgement to the next part {direct['median_ms']:.2f} ms direct, "
              f"{found['median_ms']:.2f} ms intercepted (medians of {count - 1})")
        self.assertIn(f'"host":"{host}"', self.daemon.waylay("flows", "--json").out, "it was intercepted")

    def test_an_event_is_there_before_the_next_one_is_sent(self):
        self.origin("stream", server=STREAM)
        self.parts_arrive_one_by_one("stream.test", "events")
        self.assertEqual(self.exchange(path="/events/41")["end"], "complete")

    def test_an_event_over_http2_is_there_before_the_next_one_is_sent(self):
        self.origin("stream", server=NODE)
        self.parts_arrive_one_by_one("stream.test", "events over h2")

    def test_a_message_of_grpc_web_is_there_before_the_next_one_is_sent(self):
        self.origin("stream", server=STREAM)
        self.parts_arrive_one_by_one("stream.test", "grpc-web")
        conversation = self.exchange(path="/grpc-web?41")["conversation"]
        self.assertEqual((conversation["protocol"], conversation["open"]), ("grpc-web", False))
        self.assertEqual(conversation["from_client"]["messages"], 1)
        self.assertEqual(conversation["from_upstream"]["messages"], 41)

    def test_a_unary_call_of_grpc_web_as_text_is_counted_over_both_protocols(self):
        self.origin("stream", server=STREAM)
        self.origin("two", server=NODE)
        job = self.begin()
        self.intercept(job)
        call = ("--header", "content-type: application/grpc-web-text", "--data-binary", "AAAAAANvbmU=")
        self.assertEqual(self.curl(job, "https://stream.test/grpc-web", "--output", "/dev/null", "--write-out", "%{http_code}",
                                   *call).out, "200")
        self.assertEqual(self.curl(job, "https://two.test/grpc-web", "--http2", "--write-out", " %{http_version}", *call).out,
                         "AAAAAANvbmU= 2")
        for host in ("stream.test", "two.test"):
            conversation = self.exchange(host=host)["conversation"]
            self.assertEqual(conversation["protocol"], "grpc-web-text")
            self.assertEqual(conversation["from_client"]["messages"], 1)
            self.assertEqual(conversation["from_client"]["payload_bytes"], 3)
        self.assertEqual(self.exchange(host="two.test")["conversation"]["from_upstream"]["messages"], 1)

    def test_a_long_poll_is_answered_when_the_news_come(self):
        self.origin("stream", server=STREAM)
        job = self.begin()
        self.intercept(job)
        outcome = self.curl(job, "https://stream.test/poll/4", "--write-out", "%{time_total}")
        news, seconds = outcome.out.split()
        self.assertEqual(news, "news")
        self.assertGreater(float(seconds), 3.9)
        self.assertLess(float(seconds), 8)

    def test_a_tunnel_within_tls_is_carried_byte_for_byte(self):
        self.origin("proxy", server=STREAM)
        inner = self.origin("inner")
        job = self.begin()
        self.intercept(job)
        outcome = self.curl(job, "https://inner.test/bytes/1000000", "--proxy", "https://proxy.test:443", "--connect-to",
                            f"inner.test:443:{inner.address}:443", "--output", "/dev/null", "--write-out",
                            "%{http_connect} %{http_code} %{size_download} %{ssl_verify_result}")
        self.assertEqual(outcome.out, "200 200 1000000 0")
        self.assertEqual(self.only(inner.requests())["path"], "/bytes/1000000")
        shown = self.over(method="CONNECT")
        self.assertEqual(shown["end"], "upgraded")
        conversation = shown["conversation"]
        self.assertEqual(conversation["protocol"], "tunnel")
        self.assertGreater(conversation["from_upstream"]["bytes"], 1_000_000)
        self.assertGreater(conversation["from_client"]["bytes"], 300)
        self.assertIsNone(conversation["from_client"]["messages"])
        self.assertIn("tunnel: ", self.daemon.waylay("flows").out)

    def test_a_websocket_is_carried_and_its_messages_counted(self):
        self.origin("chat", server=CHAT)
        job = self.begin()
        expected = {"extension": "permessage-deflate", "echoed": 6, "pieces": "in three pieces", "close": [4001, "enough"],
                    "closed by": [1012, "going"]}
        self.assertEqual(self.python(job, "chat.py", "chat.test"), expected, "without us")
        self.intercept(job)
        self.assertEqual(self.python(job, "chat.py", "chat.test"), expected)
        conversation = self.over(path="/chat?room=1")["conversation"]
        self.assertEqual(conversation["protocol"], "websocket")
        self.assertIn("permessage-deflate", conversation["extensions"])
        self.assertIsNone(conversation["messages"], "nobody asked for them")
        client, upstream = conversation["from_client"], conversation["from_upstream"]
        for side in (client, upstream):
            self.assertEqual((side["messages"], side["text"], side["binary"], side["unread"]), (7, 5, 2, None))
        self.assertEqual((client["pings"], upstream["pongs"]), (1, 1))
        self.assertEqual((client["close_code"], client["close_reason"], upstream["close_code"]), (4001, "enough", 4001))
        bad = self.daemon.read_lines("flows", "--match", "websocket.payload.close.status_code == 1012")
        self.assertEqual([one["path"] for one in bad], ["/chat?room=2"])
        page = self.daemon.waylay("show", str(self.exchange(path="/chat?room=1")["id"])).out
        self.assertIn("7 messages", page)
        self.assertIn("closed 4001 (enough)", page)

    def test_nodes_websocket_cannot_tell(self):
        self.origin("chat", server=CHAT)
        job = self.begin()
        chat = lambda: json.loads(job.run("node", "--no-warnings", "--experimental-websocket", "/clients/chat.mjs", "chat.test").out)
        direct = chat()
        self.intercept(job)
        self.assertEqual(chat(), direct)
        self.assertEqual(direct, {"echoed": 3, "close": 3456})
        client = self.over(path="/chat?room=node")["conversation"]["from_client"]
        self.assertEqual((client["text"], client["binary"], client["close_code"]), (2, 1, 3456))

    def test_a_websocket_over_http2_is_carried_and_its_messages_counted(self):
        self.origin("shop", server=NODE)
        job = self.begin()
        expected = {"welcome": "welcome", "echoed": 3, "pong": "are you there?", "close": 4001}
        self.assertEqual(self.python(job, "h2_websocket.py", "shop.test"), expected, "without us")
        self.intercept(job)
        self.assertEqual(self.python(job, "h2_websocket.py", "shop.test"), expected)
        shown = self.over(path="/websocket")
        self.assertEqual((shown["method"], shown["end"], shown["conversation"]["protocol"]), ("CONNECT", "upgraded", "websocket"))
        client, upstream = shown["conversation"]["from_client"], shown["conversation"]["from_upstream"]
        self.assertEqual((client["messages"], client["text"], client["binary"], client["unread"]), (3, 2, 1, None))
        self.assertEqual((upstream["messages"], upstream["text"], upstream["binary"], upstream["unread"]), (4, 3, 1, None))
        self.assertEqual((client["pings"], upstream["pongs"]), (1, 1))
        self.assertEqual((client["close_code"], client["close_reason"], upstream["close_code"]), (4001, "enough", 4001))


class StreamsBesideRules(Streams):
    def intercept(self, job):
        super().intercept(job)
        rules = self.folder / "elsewhere.json"
        rules.write_text(json.dumps(ELSEWHERE))
        self.daemon.waylay("rules", "load", rules)


class KeptMessages(world.Case):
    def test_a_rule_keeps_what_websockets_say_and_followers_see_it(self):
        self.origin("chat", server=CHAT)
        job = self.container()
        self.attach(job)
        self.daemon.waylay("rules", "add", "listen", "--match", 'http.host == "chat.test"', "--keep-messages")
        following = self.daemon.begin(self.folder / "follow.jsonl", "flows", "-f", "--json")
        reading = self.daemon.begin(self.folder / "follow.txt", "flows", "-f")
        for one in (following, reading):
            self.addCleanup(one.stop)
        world.process.until(lambda: "TIME" in reading.said(), 10, "flows -f follows")
        self.assertEqual(self.python(job, "chat.py", "chat.test")["echoed"], 6)
        world.process.until(lambda: following.said().count('"protocol":"websocket"') >= 4, 10, "both ends are told")
        events = [json.loads(line) for line in following.said().splitlines()]
        first = next(one for one in events if one["type"] == "exchange" and one["path"] == "/chat?room=1")
        said = [one for one in events if one["type"] == "message" and one["exchange"] == first["id"]]
        sent = [one["text"] for one in said if one["from"] == "client" and one["message"] == "text"]
        self.assertEqual([text[:5] for text in sent], ["hello", "a tex", "", "Grüße", "in th"])
        self.assertEqual(sum(one["message"] == "binary" for one in said), 4)
        self.assertIn("sent", reading.said())
        self.assertIn("Grüße", reading.said())
        shown = self.daemon.read("show", str(first["id"]))
        kept = [one["text"] for one in shown["conversation"]["messages"] if one["message"] == "text"]
        self.assertIn("hello", kept)
        page = self.daemon.waylay("show", str(first["id"])).out
        self.assertIn("Messages", page)
        self.assertIn("4001 enough", page)
        self.assertIn("listen (keep messages)", page)

    def test_bytes_of_http2s_websockets_that_are_no_frames_are_carried(self):
        self.origin("shop", server=NODE)
        job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"})
        self.attach(job)
        found = json.loads(job.run("node", "/clients/h2_calls.mjs", "shop.test").out)
        self.assertEqual(found["socket"], "one two", "whatever it is, it is forwarded")
        shown = next(one for one in self.daemon.read_lines("flows", "--match", "websocket"))
        self.assertEqual(shown["method"], "CONNECT")
        self.assertEqual(shown["conversation"]["from_client"]["bytes"], 7)
        self.assertTrue(shown["conversation"]["from_client"]["unread"], "these were no frames")
