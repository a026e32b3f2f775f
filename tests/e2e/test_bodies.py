"""Rules that look into bodies and edit them, as clients see it: codings, checksums, lengths and what is left alone."""

import json

import world

EDITED = {"state": "edited", "items": [1, 2, 3], "text": "quite ordinary"}


class Bodies(world.Case):
    def setUp(self):
        super().setUp()
        self.shop = self.origin("shop")
        self.aws = self.origin("aws", "s3.eu-west-1.amazonaws.com", "dynamodb.eu-west-1.amazonaws.com")
        self.job = self.container(environment={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"})
        self.attach(self.job)

    def load(self, *rules):
        file = self.folder / "bodies.json"
        file.write_text(json.dumps([{"match": 'http.host == "shop.test"', **rule} for rule in rules]))
        self.daemon.waylay("rules", "load", file)

    def get(self, path, *options):
        return self.curl(self.job, f"https://shop.test{path}", *options).out

    def document(self, coding, *options):
        return json.loads(self.get(f"/document/{coding}", "--compressed", *options))

    def notes(self):
        return json.dumps(self.daemon.read_lines("flows"))

    def test_curl_reads_an_edited_body_in_each_coding(self):
        self.load({"name": "edit", "body": {"merge_patch": {"state": "edited"}}})
        for coding in ("identity", "gzip", "deflate", "br", "zstd", "gzip,%20br"):
            with self.subTest(coding):
                self.assertEqual(self.document(coding), EDITED)
        head = self.get("/document/gzip", "--dump-header", "-", "--output", "/dev/null").lower()
        self.assertIn("content-encoding: gzip", head)
        self.assertNotIn("etag", head)

    def test_node_reads_an_edited_body_in_each_coding(self):
        self.load({"name": "edit", "body": {"json_patch": [{"op": "replace", "path": "/state", "value": "edited"}]}})
        got = json.loads(self.job.run("node", "/clients/edited.mjs").out)
        self.assertEqual([one["document"] for one in got.values()], [EDITED] * 4)

    def test_boto3_accepts_the_checksums_of_edited_bodies(self):
        self.load({"name": "book", "match": 'aws.service == "s3"', "body": {"regex": "ordinary", "with": "remarkable"}},
                  {"name": "item", "match": 'aws.service == "dynamodb"',
                   "body": {"json_patch": [{"op": "replace", "path": "/Item/price/N", "value": "6"}]}})
        got = self.python(self.job, "edited.py")
        self.assertEqual(got["text"], "an remarkable object of an remarkable bucket\n")
        self.assertEqual((got["checked"], got["etag"]), (1, got["md5"]))
        self.assertEqual((got["item"]["price"]["N"], got["retries"]), ("6", 0))

    def test_edits_are_made_in_order_and_one_that_does_not_apply_is_said(self):
        self.load({"name": "first", "body": [{"regex": "quite (\\w+)", "with": "rather \\1"},
                                             {"json_patch": [{"op": "test", "path": "/state", "value": "bad"}]}]},
                  {"name": "second", "body": {"regex": "rather", "with": "very"}})
        self.assertEqual(self.document("gzip")["text"], "very ordinary")
        self.assertIn("test /state: the value is another one", self.notes())

    def test_rules_match_what_is_in_a_body(self):
        self.load({"name": "bad", "match": 'body.json["$.order.count"] > 2 and http.host == "shop.test"', "respond": {"status": 400}},
                  {"name": "busy", "match": 'response.body.json["$.items[2]"] == 3 and response.body.text contains "ordinary"',
                   "status": 503})
        code = ("--output", "/dev/null", "--write-out", "%{http_code}", "--header", "content-type: application/json")
        self.assertEqual(self.get("/echo", "--data", '{"order": {"count": 3}}', *code), "400")
        self.assertEqual(self.get("/echo", "--data", '{"order": {"count": 2}}', *code), "200")
        self.assertEqual(self.get("/document/br", *code), "503")
        self.assertEqual(self.get("/document/identity", *code), "503")
        self.assertEqual(self.get("/bytes/100000", *code), "200")
        self.assertEqual(self.get("/echo", "--data", '{"order": {"count": 2}}'), '{"order": {"count": 2}}')

    def test_a_requests_body_is_edited(self):
        self.load({"name": "edit", "request_body": {"regex": "two", "with": "twenty"}})
        self.assertEqual(self.get("/echo", "--data", "one two"), "one twenty")
        self.assertEqual(self.get("/echo", "--data", "one two", "--header", "transfer-encoding: chunked"), "one twenty")

    def test_a_part_and_what_is_too_large_are_left_as_they_are(self):
        self.load({"name": "edit", "body": {"regex": "(?s).+", "with": "edited"}})
        self.assertEqual(self.document("identity?part")["state"], "ok")
        self.assertIn("206", self.notes())
        size = 20 * 1024 * 1024
        self.assertEqual(self.get(f"/bytes/{size}", "--output", "/dev/null", "--write-out", "%{size_download}"), str(size))
        self.assertEqual(self.get("/bytes/10"), "edited")

    def test_an_answer_to_head_has_no_body_to_edit(self):
        self.load({"name": "edit", "body": {"regex": "ok", "with": "edited"}})
        self.assertIn(" 200 ", self.get("/document/gzip", "--head").splitlines()[0])
