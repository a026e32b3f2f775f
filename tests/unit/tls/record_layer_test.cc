#include "tls/record_layer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tls/record_counter.h"
#include "unit/tls/support_hex.h"

namespace waylay::tls::testing {
namespace {

using Event = RecordLayer::Event;

std::string hex_of(std::string_view text) {
  return to_hex(as_bytes(text));
}

Secret secret_of(std::string_view hex) {
  return Secret(as_bytes(from_hex(hex)));
}

// RFC 8448 section 3: the simple 1-RTT handshake, its data and its end.
constexpr std::string_view kClientSecret = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
constexpr std::string_view kServerSecret = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
constexpr std::string_view kClientData =
    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2"
    "977014bd1e3deae63aeebb21694915e4";
constexpr std::string_view kServerData =
    "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a2"
    "1c0047c2abf332540dd032e167c2955d";
constexpr std::string_view kClientEnd = "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";
constexpr std::string_view kServerEnd = "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

std::string fifty_bytes() {
  std::string text;
  for (char c = 0; c < 50; ++c) text += c;
  return text;
}

// One end, what it has said and heard.
struct Party {
  explicit Party(RecordLayer::Start start) : layer(RecordLayer::make(start)) {}

  Event hear(std::string_view bytes) {
    std::vector<std::byte> copy(as_bytes(bytes).begin(), as_bytes(bytes).end()), scratch(room);
    Bytes input = copy;
    for (;;) {
      Bytes plaintext;
      Event event = layer->next(input, scratch, plaintext, output);
      heard += as_text(plaintext);
      if (event != Event::Plaintext) return event;
    }
  }
  bool say(std::string_view text) { return layer->write(as_bytes(text), output); }
  std::string take() {
    std::string bytes(output.text());
    output.clear();
    return bytes;
  }

  std::unique_ptr<RecordLayer> layer;
  ByteQueue output;
  std::string heard;
  size_t room = 16 * 1024;
};

RecordLayer::Start start_of(bool server, uint64_t read = 0, uint64_t written = 0, uint64_t per_key = 1 << 24) {
  Secret of_client = secret_of(kClientSecret), of_server = secret_of(kServerSecret);
  return {.suite = *find_record_suite("TLS_AES_128_GCM_SHA256"),
          .is_server = server,
          .reading = server ? of_client : of_server,
          .writing = server ? of_server : of_client,
          .records_read = read,
          .records_written = written,
          .records_per_key = per_key};
}

std::optional<RecordProtection> sealing_with(std::string_view secret) {
  return RecordProtection::make(*find_record_suite("TLS_AES_128_GCM_SHA256"), RecordProtection::Direction::Sealing,
                                secret_of(secret), 0);
}

class RecordLayers : public ::testing::Test {
 protected:
  Party client_{start_of(false)}, server_{start_of(true)};
  // What a peer seals that is not ours.
  std::string sealed(ContentType type, std::string_view content) {
    std::string record(RecordProtection::sealed_size(content.size()), '\0');
    EXPECT_TRUE(forger_->seal(type, as_bytes(content), reinterpret_cast<std::byte*>(record.data())));
    return record;
  }
  std::string alert(int level, int description) {
    const char content[] = {static_cast<char>(level), static_cast<char>(description)};
    return sealed(ContentType::Alert, {content, sizeof content});
  }
  std::string key_update(char asks) { return sealed(ContentType::Handshake, std::string("\x18\0\0\1", 4) + asks); }

  // Seals as the server of the examples does.
  std::optional<RecordProtection> forger_ = RecordProtection::make(
      *find_record_suite("TLS_AES_128_GCM_SHA256"), RecordProtection::Direction::Sealing, secret_of(kServerSecret), 0);
};

TEST_F(RecordLayers, SealTheExamplesOfRfc8448) {
  ASSERT_TRUE(client_.say(fifty_bytes()));
  client_.layer->close(client_.output);
  EXPECT_EQ(hex_of(client_.take()), std::string(kClientData).append(kClientEnd));
  Party server(start_of(true, 0, 1));  // it has sent a ticket
  ASSERT_TRUE(server.say(fifty_bytes()));
  server.layer->close(server.output);
  EXPECT_EQ(hex_of(server.take()), std::string(kServerData).append(kServerEnd));
}

TEST_F(RecordLayers, OpenTheExamplesOfRfc8448ByteByByte) {
  std::string from_server = from_hex(kServerData) + from_hex(kServerEnd);
  Party client(start_of(false, 1, 0));
  for (size_t i = 0; i + 1 < from_server.size(); ++i)
    ASSERT_EQ(client.hear(from_server.substr(i, 1)), Event::NeedMore) << i;
  EXPECT_EQ(client.heard, fifty_bytes());
  EXPECT_EQ(client.hear(from_server.substr(from_server.size() - 1)), Event::CloseNotify);
}

TEST_F(RecordLayers, CutAnywhereARecordIsNeitherDataNorAnEnd) {
  std::string from_server = from_hex(kServerData) + from_hex(kServerEnd);
  for (size_t size = 0; size < from_server.size(); ++size) {
    Party client(start_of(false, 1, 0));
    EXPECT_EQ(client.hear(from_server.substr(0, size)), Event::NeedMore);
    EXPECT_EQ(client.heard, size < kServerData.size() / 2 ? "" : fifty_bytes());
  }
}

TEST_F(RecordLayers, EachFlippedBitOfARecordIsNoticed) {
  std::string good = from_hex(kServerData);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Party client(start_of(false, 1, 0));
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    Event event = client.hear(bad);
    bool longer = bit / 8 == 3 || bit / 8 == 4;  // the length: then more is waited for, or the tag is elsewhere
    EXPECT_TRUE(event == Event::Failed || (longer && event == Event::NeedMore)) << bit;
    EXPECT_EQ(client.heard, "");
  }
}

TEST_F(RecordLayers, TellThePeerWhatWasWrong) {
  std::string bad = from_hex(kServerData);
  bad.back() ^= 1;
  Party client(start_of(false, 1, 0));
  EXPECT_EQ(client.hear(bad), Event::Failed);
  EXPECT_EQ(client.layer->problem(), "decryption failed or bad record mac");
  EXPECT_EQ(server_.hear(client.take()), Event::Failed);
  EXPECT_EQ(server_.layer->received_alert(), static_cast<int>(Alert::BadRecordMac));
  EXPECT_EQ(server_.layer->problem(), "") << "the alert says it";
  EXPECT_EQ(server_.take(), "") << "an alert gets no answer";
}

TEST_F(RecordLayers, CutLargeDataIntoFullRecords) {
  std::string text(40'000, 'x');
  ASSERT_TRUE(client_.say(text));
  EXPECT_EQ(client_.output.size(), text.size() + 3 * RecordProtection::sealed_size(0));
  EXPECT_EQ(server_.hear(client_.take()), Event::NeedMore);
  EXPECT_EQ(server_.heard, text);
}

TEST_F(RecordLayers, GiveARecordOutThroughASmallScratch) {
  server_.room = 100;
  std::string text(1'001, 'y');
  ASSERT_TRUE(client_.say(text));
  EXPECT_EQ(server_.hear(client_.take()), Event::NeedMore);
  EXPECT_EQ(server_.heard, text);
}

TEST_F(RecordLayers, AnswerARequestedKeyUpdateInFrontOfTheirNextData) {
  EXPECT_EQ(client_.hear(key_update(1)), Event::NeedMore);
  EXPECT_EQ(client_.take(), "") << "there is nothing to say yet";
  ASSERT_TRUE(client_.say("data"));
  std::string said = client_.take();
  EXPECT_EQ(said.size(), RecordProtection::sealed_size(5) + RecordProtection::sealed_size(4));
  EXPECT_EQ(server_.hear(said), Event::NeedMore);
  EXPECT_EQ(server_.heard, "data");
  EXPECT_EQ(server_.take(), "") << "an answer does not ask again";
  ASSERT_TRUE(client_.say("more"));
  EXPECT_EQ(client_.output.size(), RecordProtection::sealed_size(4)) << "once is enough";
}

TEST_F(RecordLayers, DoNotAnswerAKeyUpdateBehindTheirCloseNotify) {
  client_.layer->close(client_.output);
  client_.take();
  EXPECT_EQ(client_.hear(key_update(1)), Event::NeedMore);
  EXPECT_EQ(client_.take(), "");
}

TEST_F(RecordLayers, FollowThePeersKeyUpdates) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(client_.hear(key_update(0)), Event::NeedMore);
    ASSERT_TRUE(forger_->update());
    ASSERT_EQ(client_.hear(sealed(ContentType::ApplicationData, "x")), Event::NeedMore);
  }
  EXPECT_EQ(client_.heard, std::string(20, 'x'));
}

TEST_F(RecordLayers, RefuseKeyUpdatesWithoutEnd) {
  std::string updates;
  for (int i = 0; i < 33; ++i) {
    updates += key_update(0);
    forger_->update();
  }
  EXPECT_EQ(client_.hear(updates), Event::Failed);
  EXPECT_EQ(client_.layer->problem(), "too many key updates");
}

TEST_F(RecordLayers, RenewAKeyBeforeItIsWornOut) {
  Party client(start_of(false, 0, 0, 3));
  size_t updates = 0;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(client.say("text"));
    updates += client.output.size() > RecordProtection::sealed_size(4) ? 1 : 0;
    ASSERT_EQ(server_.hear(client.take()), Event::NeedMore);
  }
  EXPECT_EQ(updates, 3U);
  EXPECT_EQ(server_.heard.size(), 40U);
}

TEST_F(RecordLayers, TakeEveryAlertButTwoAsAnError) {
  for (int description = 1; description < 256; ++description) {
    if (description == static_cast<int>(Alert::UserCanceled)) continue;
    for (int level : {1, 2, 0}) {
      forger_ = sealing_with(kServerSecret);
      Party client(start_of(false));
      EXPECT_EQ(client.hear(alert(level, description)), Event::Failed);
      EXPECT_EQ(client.layer->received_alert(), description);
      EXPECT_FALSE(client.say("anything"));
      EXPECT_EQ(client.take(), "");
    }
  }
}

TEST_F(RecordLayers, PassOverUserCanceledButNotForEver) {
  EXPECT_EQ(client_.hear(alert(1, 90) + alert(1, 90) + alert(2, 90) + alert(1, 90)), Event::NeedMore);
  EXPECT_EQ(client_.hear(sealed(ContentType::ApplicationData, "x") + alert(1, 90)), Event::NeedMore);
  EXPECT_EQ(client_.hear(alert(1, 90) + alert(1, 90) + alert(1, 90) + alert(1, 90)), Event::Failed);
  EXPECT_EQ(client_.layer->problem(), "too many warn alerts");
}

TEST_F(RecordLayers, EndAtCloseNotifyWhateverItsLevelSays) {
  EXPECT_EQ(client_.hear(alert(2, 0)), Event::CloseNotify);
  ASSERT_TRUE(client_.say("the other direction is open"));
  EXPECT_EQ(server_.hear(client_.take()), Event::NeedMore);
}

TEST_F(RecordLayers, SayNothingBehindTheirOwnCloseNotify) {
  client_.layer->close(client_.output);
  EXPECT_EQ(server_.hear(client_.take()), Event::CloseNotify);
  client_.layer->close(client_.output);
  EXPECT_FALSE(client_.say("late"));
  EXPECT_EQ(client_.hear(sealed(ContentType::ApplicationData, "read on")), Event::NeedMore);
  EXPECT_EQ(client_.heard, "read on");
  EXPECT_EQ(client_.hear(std::string("\x14\x03\x03\0\1\1", 6)), Event::Failed);
  EXPECT_EQ(client_.take(), "") << "not even the alert";
}

TEST_F(RecordLayers, RefuseRecordsInClear) {
  EXPECT_EQ(client_.hear(std::string("\x14\x03\x03\x00\x01\x01", 6)), Event::Failed) << "change_cipher_spec";
  Party other(start_of(false));
  EXPECT_EQ(other.hear(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)), Event::Failed) << "alert";
  EXPECT_EQ(other.layer->problem(), "bad record type");
  EXPECT_EQ(other.layer->received_alert(), -1) << "it could be anybody's";
}

TEST_F(RecordLayers, RefuseAuthenticationAfterTheHandshake) {
  EXPECT_EQ(client_.hear(sealed(ContentType::Handshake, std::string("\x0d\0\0\3\0\0\0", 7))), Event::Failed);
  EXPECT_EQ(server_.hear(client_.take()), Event::Failed);
  EXPECT_EQ(server_.layer->received_alert(), static_cast<int>(Alert::UnexpectedMessage));
}

TEST_F(RecordLayers, TakeATicketInAnyPiecesAndOnlyAsTheClient) {
  std::string ticket(
      "\x04\0\0\x1a\0\0\0\x64"
      "abcd\x08"
      "01234567\0\x05hello\0\0",
      30);
  for (size_t size = 1; size <= ticket.size(); ++size) {
    forger_ = RecordProtection::make(*find_record_suite("TLS_AES_128_GCM_SHA256"), RecordProtection::Direction::Sealing,
                                     secret_of(kServerSecret), 0);
    Party client(start_of(false));
    std::string records;
    for (size_t at = 0; at < ticket.size(); at += size)
      records += sealed(ContentType::Handshake, std::string_view(ticket).substr(at, size));
    EXPECT_EQ(client.hear(records + sealed(ContentType::ApplicationData, "x")), Event::NeedMore);
    EXPECT_EQ(client.heard, "x");
  }
  auto as_client = sealing_with(kClientSecret);
  std::string record(RecordProtection::sealed_size(ticket.size()), '\0');
  ASSERT_TRUE(as_client->seal(ContentType::Handshake, as_bytes(ticket), reinterpret_cast<std::byte*>(record.data())));
  EXPECT_EQ(server_.hear(record), Event::Failed);
  EXPECT_EQ(server_.layer->problem(), "unexpected message");
}

TEST(RecordProtections, RefuseToGoBeyondTheLastNumber) {
  auto sealing = RecordProtection::make(*find_record_suite("TLS_CHACHA20_POLY1305_SHA256"),
                                        RecordProtection::Direction::Sealing, secret_of(kServerSecret), UINT64_MAX - 1);
  std::vector<std::byte> record(RecordProtection::sealed_size(1));
  EXPECT_TRUE(sealing->seal(ContentType::ApplicationData, as_bytes("x"), record.data()));
  EXPECT_FALSE(sealing->seal(ContentType::ApplicationData, as_bytes("x"), record.data()));
}

TEST(RecordProtections, AreOfTheThreeSuitesThatAreCommon) {
  EXPECT_NE(find_record_suite("TLS_AES_256_GCM_SHA384"), nullptr);
  EXPECT_EQ(find_record_suite("TLS_AES_128_CCM_SHA256"), nullptr);
}

TEST(RecordCounters, CountWholeRecordsInAnyPieces) {
  std::string records =
      from_hex("17030300036162631703030000") + std::string("\x17\x03\x03\x01\x00", 5) + std::string(256, 'x') + "\x17";
  for (size_t piece : {1U, 2U, 5U, 7U, 300U}) {
    RecordCounter counter;
    for (size_t at = 0; at < records.size(); at += piece)
      counter.add(as_bytes(std::string_view(records).substr(at, piece)));
    EXPECT_EQ(counter.whole(), 3U);
    EXPECT_FALSE(counter.between_records());
  }
}

}  // namespace
}  // namespace waylay::tls::testing
