#include "warden/targets.h"

#include <gtest/gtest.h>

#include "warden/admin.h"
#include "warden/mount_lines.h"
#include "warden/preflight.h"

namespace waylay::warden {
namespace {

std::string refusal_of(std::string_view text) {
  Result<TargetSpec> spec = parse_target(text);
  return spec ? "" : spec.error().message;
}

TEST(TargetSpec, IsAContainerUnlessItSaysOtherwise) {
  EXPECT_EQ(parse_target("web")->kind, TargetKind::Docker);
  EXPECT_EQ(parse_target("web")->name, "web");
  EXPECT_EQ(parse_target("docker:my_app-1.x")->name, "my_app-1.x");
  EXPECT_EQ(parse_target("pid:42")->kind, TargetKind::Pid);
  EXPECT_EQ(parse_target("pid:42")->pid, 42);
  EXPECT_EQ(parse_target("cgroup:/a/b c")->kind, TargetKind::Cgroup);
  EXPECT_EQ(parse_target("cgroup:/a/b c")->name, "/a/b c");
}

TEST(TargetSpec, RefusesWhatIsNoName) {
  EXPECT_EQ(refusal_of("pid:x"), "\"pid:x\": a process number was expected, as in pid:42");
  EXPECT_EQ(refusal_of("pid:0"), "\"pid:0\": a process number was expected, as in pid:42");
  EXPECT_EQ(refusal_of("pid:4 2"), "\"pid:4 2\": a process number was expected, as in pid:42");
  EXPECT_EQ(refusal_of("cgroup:"), "\"cgroup:\": a path was expected, as in cgroup:/system.slice/job.service");
  EXPECT_EQ(refusal_of("a/b"), "\"a/b\" is no target: write docker:NAME (or only NAME), pid:N or cgroup:PATH");
  EXPECT_EQ(refusal_of("docker:"), "\"docker:\" is no target: write docker:NAME (or only NAME), pid:N or cgroup:PATH");
}

TEST(AdminRequest, ReadsEveryMember) {
  Result<Request> request = parse_request(
      R"({"verb":"attach","target":"web","ports":[443,8443],"insist":true,"trust":false,"tree":true,"redirect_loopback":true})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->verb, Request::Verb::Attach);
  EXPECT_EQ(request->target, "web");
  EXPECT_EQ(request->options.ports, (std::vector<uint16_t>{443, 8443}));
  EXPECT_TRUE(request->options.insist && request->options.tree && request->options.redirect_loopback);
  EXPECT_FALSE(request->options.trust);
  EXPECT_TRUE(parse_request(R"({"verb":"detach","all":true,"now":true})")->now);
  EXPECT_EQ(parse_request(R"({"verb":"run","pid":77})")->child, 77);
}

TEST(AdminRequest, SaysWhatIsWrong) {
  auto refusal = [](std::string_view line) {
    Result<Request> request = parse_request(line);
    return request ? "" : request.error().message;
  };
  EXPECT_TRUE(refusal("{").starts_with("the request is no JSON: "));
  EXPECT_EQ(refusal("[]"), "the request must be an object, {...}");
  EXPECT_EQ(refusal("{}"), "/verb: must be a text");
  EXPECT_EQ(refusal(R"({"verb":"destroy"})"), "/verb: must be attach, detach, run, targets, trust, ca or ping");
  EXPECT_EQ(refusal(R"({"verb":"attach"})"), "/target: must say what to attach");
  EXPECT_EQ(refusal(R"({"verb":"attach","target":1})"), "/target: must be a text");
  EXPECT_EQ(refusal(R"({"verb":"attach","target":"x","ports":[0]})"), "/ports: must be a list of 1 to 16 port numbers");
  EXPECT_EQ(refusal(R"({"verb":"attach","target":"x","ports":[]})"), "/ports: must be a list of 1 to 16 port numbers");
  EXPECT_EQ(refusal(R"({"verb":"attach","target":"x","ports":443})"), "/ports: must be a list of 1 to 16 port numbers");
  EXPECT_EQ(refusal(R"({"verb":"attach","target":"x","insist":1})"), "/insist: must be true or false");
  EXPECT_EQ(refusal(R"({"verb":"attach","target":"x","port":[1]})"), "/port: unknown member");
  EXPECT_EQ(refusal(R"({"verb":"detach"})"), "detach needs either a target or all");
  EXPECT_EQ(refusal(R"({"verb":"detach","target":"x","all":true})"), "detach needs either a target or all");
  EXPECT_EQ(refusal(R"({"verb":"run"})"), "/pid: must name the command's process");
  EXPECT_EQ(refusal(R"({"verb":"run","pid":-1})"), "/pid: must be a process number");
}

TEST(AdminAnswer, ShowsKindAndMessageOnOneLine) {
  EXPECT_EQ(error_answer(Error::local(ErrorKind::NotFound, "no\n\xff")),
            "{\"error\":{\"kind\":\"not_found\",\"message\":\"no\\n\xef\xbf\xbd\"},\"ok\":false}\n");
}

TEST(Preflight, KnowsWhichKernelsAreNewEnough) {
  EXPECT_TRUE(check_kernel("6.1.0-18-amd64"));
  EXPECT_TRUE(check_kernel("6.18.5"));
  EXPECT_TRUE(check_kernel("7.0"));
  EXPECT_EQ(check_kernel("5.15.0-91-generic").error().message,
            "this kernel is Linux 5.15.0-91-generic; Waylay needs Linux 6.1 or newer");
  EXPECT_FALSE(check_kernel("6.0.12"));
}

TEST(Mountinfo, IsReadWithItsEscapesAndItsPropagation) {
  std::vector<MountLine> lines = parse_mountinfo(
      "22 1 8:1 / / rw shared:1 - ext4 /dev/a rw\n"
      "90 22 0:44 /x/waylay-1.pem//deleted /etc/my\\040certs/a.pem ro,nosuid - tmpfs tmpfs rw\n"
      "91 22 0:45 / /y rw master:3 propagate_from:2 - proc proc rw\n"
      "broken\n");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].id, 22u);
  EXPECT_TRUE(lines[0].shared);
  EXPECT_EQ(lines[1].root, "/x/waylay-1.pem//deleted");
  EXPECT_EQ(lines[1].mount_point, "/etc/my certs/a.pem");
  EXPECT_FALSE(lines[1].shared);
  EXPECT_FALSE(lines[2].shared);
}

}  // namespace
}  // namespace waylay::warden
