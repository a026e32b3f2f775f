"""A real S3 server and unmodified boto3: everything arrives as it was, and a rewritten status is retried as it should be."""

import world
from support import s3


class S3(world.Case):
    def setUp(self):
        super().setUp()
        self.server = self.s3()
        self.job = self.container(environment=s3.ACCOUNT)

    def test_objects_of_all_sizes_are_the_same_with_and_without_waylay(self):
        direct = self.python(self.job, "s3_objects.py", "bucket-direct")
        self.attach(self.job)
        self.assert_intercepted(self.job, s3.HOST, self.server)
        intercepted = self.python(self.job, "s3_objects.py", "bucket-waylaid")
        self.assertEqual(intercepted, direct)
        for name in ("empty", "small", "large"):
            self.assertTrue(intercepted[name]["identical"], name)
        self.assertIn("bucket-waylaid", str(self.daemon.read_lines("flows")))

    def retried(self, status, mode):
        """Requests that reached the server for one get_object whose every answer is turned into `status`."""
        key = f"object-{status}-{mode}"
        self.python(self.job, "s3_call.py", "standard", "put_object", f'{{"Bucket": "shelf", "Key": "{key}", "Body": "x"}}')
        self.daemon.waylay("rules", "add", "trick", "--match", 'http.request.method == "GET" and aws.service == "s3"',
                           "--status", str(status))
        before = self.server.requests(key)
        outcome = self.python(self.job, "s3_call.py", mode, "get_object", f'{{"Bucket": "shelf", "Key": "{key}"}}')
        self.daemon.waylay("rules", "remove", "trick")
        self.assertEqual((outcome["ok"], outcome["status"]), (False, status))
        return self.server.requests(key) - before

    def test_a_bare_429_is_retried_by_legacy_and_not_by_standard(self):
        self.make_shelf()
        self.assertEqual((self.retried(429, "legacy"), self.retried(429, "standard")), (5, 1))

    def test_a_503_is_retried_by_both(self):
        self.make_shelf()
        self.assertEqual((self.retried(503, "legacy"), self.retried(503, "standard")), (5, 3))

    def make_shelf(self):
        self.python(self.job, "s3_call.py", "standard", "create_bucket",
                    '{"Bucket": "shelf", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}')
        self.attach(self.job)
