#include "warden/protocol.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace waylay::warden {
namespace {

struct Channel {
  Channel() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    warden = Fd(ends[0]);
    proxy = Fd(ends[1]);
  }
  Fd warden, proxy;
};

TEST(Protocol, CarriesHeaderPayloadAndDescriptors) {
  Channel channel;
  int pipe_ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(pipe_ends), 0);
  Fd read_end(pipe_ends[0]);
  Header header{.type = MessageType::Sockets, .target = 7, .id = 1ULL << 40, .status = -5, .count = 1, .family = 6};
  ASSERT_TRUE(send(channel.warden.get(), header, "payload", {pipe_ends[1]}));
  ::close(pipe_ends[1]);

  Result<Message> message = receive(channel.proxy.get());
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->header.type, MessageType::Sockets);
  EXPECT_EQ(message->header.target, 7u);
  EXPECT_EQ(message->header.id, 1ULL << 40);
  EXPECT_EQ(message->header.status, -5);
  EXPECT_EQ(message->header.count, 1);
  EXPECT_EQ(message->header.family, 6);
  EXPECT_EQ(message->payload, "payload");
  ASSERT_EQ(message->descriptors.size(), 1u);
  EXPECT_TRUE(::fcntl(message->descriptors[0].get(), F_GETFD) & FD_CLOEXEC);
  ASSERT_EQ(::write(message->descriptors[0].get(), "x", 1), 1);
  char got = 0;
  ASSERT_EQ(::read(read_end.get(), &got, 1), 1);
  EXPECT_EQ(got, 'x');
}

TEST(Protocol, CarriesTheLargestPayloadAndTheMostDescriptorsAtOnce) {
  Channel channel;
  std::vector<int> descriptors(kMaximumDescriptors, STDERR_FILENO);
  std::string payload(kMaximumPayload, 'p');
  ASSERT_TRUE(send(channel.proxy.get(), {.type = MessageType::Sign}, payload, descriptors));
  Result<Message> message = receive(channel.warden.get());
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->payload, payload);
  EXPECT_EQ(message->descriptors.size(), kMaximumDescriptors);
}

TEST(Protocol, RefusesToSendWhatDoesNotFit) {
  Channel channel;
  EXPECT_EQ(send(channel.proxy.get(), {.type = MessageType::Sign}, std::string(kMaximumPayload + 1, 'p')).error().kind,
            ErrorKind::Limit);
  std::vector<int> descriptors(kMaximumDescriptors + 1, STDERR_FILENO);
  EXPECT_EQ(send(channel.proxy.get(), {.type = MessageType::Sign}, "", descriptors).error().kind, ErrorKind::Limit);
}

TEST(Protocol, StartMayBeAsLongAsASystemsBundle) {
  Channel channel;
  std::string payload(300'000, 'c');
  ASSERT_TRUE(send(channel.warden.get(), {.type = MessageType::Start}, payload, {STDERR_FILENO}));
  Result<Message> message = receive(channel.proxy.get());
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->payload, payload);
  EXPECT_EQ(message->descriptors.size(), 1u);
}

TEST(Protocol, RefusesALongPayloadThatIsNotStartOrNotSealed) {
  Channel channel;
  ASSERT_TRUE(send(channel.proxy.get(), {.type = MessageType::Sign, .payload_in_memfd = 1}, "", {STDERR_FILENO}));
  EXPECT_EQ(receive(channel.warden.get()).error().message, "only Start may have a long payload");
  ASSERT_TRUE(send(channel.proxy.get(), {.type = MessageType::Start, .payload_in_memfd = 1}, "", {STDERR_FILENO}));
  EXPECT_EQ(receive(channel.warden.get()).error().message, "a long payload is not in sealed memory");
}

TEST(Protocol, RefusesForeignBytes) {
  Channel channel;
  ASSERT_EQ(::send(channel.warden.get(), "short", 5, 0), 5);
  EXPECT_EQ(receive(channel.proxy.get()).error().kind, ErrorKind::Truncated);
  ASSERT_TRUE(send(channel.warden.get(), {.type = static_cast<MessageType>(99)}, ""));
  Result<Message> unknown = receive(channel.proxy.get());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "unknown message type 99");
}

TEST(Protocol, SaysThatTheOtherEndIsGone) {
  Channel channel;
  channel.proxy.reset();
  EXPECT_EQ(receive(channel.warden.get()).error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(send(channel.warden.get(), {.type = MessageType::Stop}, "").error().kind, ErrorKind::Unavailable);
}

TEST(Protocol, StartInformationSurvivesTheJourney) {
  StartInfo info{.workers = 3,
                 .has_listen = true,
                 .listen_address = "[::1]:8443",
                 .ca_certificate = "-----BEGIN",
                 .upstream_roots = "roots",
                 .strict_x509 = true,
                 .client_certificates = {{{"*.a.example"}, "certificate", "key"}},
                 .rules_directory = "/etc/waylay/rules.d",
                 .log_level = "debug",
                 .ech = "reject",
                 .leaf_key = "auto",
                 .own_records = false,
                 .error_page = true};
  Result<StartInfo> back = start_info_from_json(to_json(info));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), to_json(info));
  EXPECT_EQ(back->workers, 3u);
  EXPECT_FALSE(back->own_records);
  EXPECT_EQ(back->upstream_roots, "roots");
}

TEST(Protocol, TargetInformationSurvivesTheJourney) {
  TargetInfo info{.name = "docker:web",
                  .container_id = "ab12",
                  .container_name = "web",
                  .container_image = "img",
                  .ports = {443, 8443},
                  .netns_cookie = ~0ULL,
                  .insist = true,
                  .attached_ns = 1'700'000'000'000'000'000,
                  .trust = "merged"};
  Result<TargetInfo> back = target_info_from_json(to_json(info));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->netns_cookie, ~0ULL);
  EXPECT_EQ(back->ports, (std::vector<uint16_t>{443, 8443}));
  EXPECT_EQ(to_json(*back), to_json(info));
}

TEST(Protocol, NamesThatAreNotUtf8DoNotBreakTheMessage) {
  ProcessInfo info{.exe = "/usr/bin/\xff\xfe", .comm = "job", .cgroup = "/x"};
  Result<ProcessInfo> back = process_info_from_json(to_json(info));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->comm, "job");
  EXPECT_EQ(back->exe, "/usr/bin/\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Protocol, BrokenJsonIsAnErrorNotAnException) {
  EXPECT_FALSE(start_info_from_json("{"));
  EXPECT_FALSE(target_info_from_json("{}"));
  EXPECT_FALSE(process_info_from_json(R"({"exe":1})"));
}

}  // namespace
}  // namespace waylay::warden
