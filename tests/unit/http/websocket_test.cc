#include "http/websocket.h"

#include <gtest/gtest.h>

#include "unit/http/websocket_frames.h"

namespace waylay::http {
namespace {

constexpr std::string_view kMask = "\x01\x80\xff\x7e";

WebSocketReader::Options of_server(size_t content = 1 << 20) {
  return {false, std::nullopt, content};
}
WebSocketReader::Options of_client(size_t content = 1 << 20) {
  return {true, std::nullopt, content};
}
WebSocketReader::Options deflating(MessageDeflate deflate = {}, size_t content = 1 << 20) {
  return {false, deflate, content};
}

std::string in_words(const WebSocketMessage& message) {
  std::string out(to_string(message.opcode));
  if (message.close_code) out += " " + std::to_string(*message.close_code);
  out += " " + std::to_string(message.sent);
  if (message.size != message.sent) out += "/" + std::to_string(message.size);
  if (message.content.size() > 40) return out + " ...";
  return message.content.empty() ? out : out + " " + std::string(message.content);
}

// Everything that is read of these bytes, given in pieces; then "!" and why the reading ended.
std::string read(WebSocketReader reader, std::string_view bytes, size_t piece) {
  std::string out;
  auto say = [&out](const std::string& what) { out += (out.empty() ? "" : "\n") + what; };
  while (!bytes.empty()) {
    std::string copy(bytes.substr(0, piece));  // what was borrowed goes away
    bytes.remove_prefix(copy.size());
    reader.put(as_bytes(copy));
    while (std::optional<WebSocketMessage> message = reader.next()) say(in_words(*message));
  }
  if (!reader.content_failure().empty()) say("? " + std::string(reader.content_failure()));
  if (!reader.failure().empty()) say("! " + std::string(reader.failure()));
  return out;
}

std::string read(const WebSocketReader::Options& options, std::string_view bytes) {
  std::string whole = read(WebSocketReader(options), bytes, bytes.size());
  for (size_t piece : {1, 2, 3, 7, 4096}) EXPECT_EQ(read(WebSocketReader(options), bytes, piece), whole) << piece;
  return whole;
}

std::string refusal(const WebSocketReader::Options& options, std::string_view bytes) {
  return read(options, bytes);
}

TEST(WebSocket, ReadsMessagesOfBothSides) {
  EXPECT_EQ(read(of_server(), frame(kText, "hello") + frame(kBinary, "") + frame(kText, "bye")),
            "text 5 hello\nbinary 0\ntext 3 bye");
  EXPECT_EQ(read(of_client(), frame(kText, "hello", kMask) + frame(kBinary, "again", "\xaa\xbb\xcc\xdd")),
            "text 5 hello\nbinary 5 again");
  EXPECT_EQ(read(of_client(), frame(kText, "all zero", std::string_view("\0\0\0\0", 4))), "text 8 all zero");
}

// RFC 6455 section 5.7.
TEST(WebSocket, ReadsTheExamplesOfTheStandard) {
  EXPECT_EQ(read(of_server(), std::string_view("\x81\x05\x48\x65\x6c\x6c\x6f", 7)), "text 5 Hello");
  EXPECT_EQ(read(of_client(), std::string_view("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11)), "text 5 Hello");
  EXPECT_EQ(read(of_server(), std::string_view("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f", 9)), "text 5 Hello");
  EXPECT_EQ(read(of_server(), std::string_view("\x89\x05\x48\x65\x6c\x6c\x6f", 7)), "ping 5 Hello");
}

// RFC 7692 section 7.2.3.
TEST(WebSocket, InflatesTheExamplesOfTheStandard) {
  EXPECT_EQ(read(deflating(), std::string_view("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", 9)), "text 7/5 Hello");
  EXPECT_EQ(read(deflating(), std::string_view("\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", 11)), "text 7/5 Hello");
  EXPECT_EQ(read(deflating(), std::string_view("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00", 16)),
            "text 7/5 Hello\ntext 5 Hello");
  EXPECT_EQ(read(deflating(), std::string_view("\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 13)),
            "text 11/5 Hello")
      << "without compression";
  EXPECT_EQ(read(deflating(), std::string_view("\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 10)), "text 8/5 Hello")
      << "a last block";
  EXPECT_EQ(read(deflating(), std::string_view("\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 15)),
            "text 13/5 Hello")
      << "two blocks";
}

TEST(WebSocket, PutsFragmentsTogetherAndReadsControlFramesBetweenThem) {
  std::string bytes = frame(kText | kNotFinal, "one ") + frame(kPing, "p") + frame(kContinues | kNotFinal, "") +
                      frame(kPong, "") + frame(kContinues | kNotFinal, "two ") + frame(kContinues, "three");
  EXPECT_EQ(read(of_server(), bytes), "ping 1 p\npong 0\ntext 13 one two three");
  EXPECT_EQ(read(of_client(), frame(kBinary | kNotFinal, "abcde", kMask) + frame(kPing, "xyz", "1234") +
                                  frame(kContinues, "fgh", "\x01\x02\x03\x04")),
            "ping 3 xyz\nbinary 8 abcdefgh");
}

TEST(WebSocket, ReadsLengthsOfSevenSixteenAndSixtyFourBits) {
  for (size_t size : {0, 1, 125, 126, 127, 65535, 65536, 200'000}) {
    std::string payload(size, 'x');
    std::string expected = "binary " + std::to_string(size) + (size > 40 ? " ..." : size > 0 ? " " + payload : "");
    EXPECT_EQ(read(of_server(), frame(kBinary, payload)), expected);
    EXPECT_EQ(read(of_client(), frame(kBinary, payload, kMask)), expected);
  }
}

TEST(WebSocket, CountsLengthsThatNobodySends) {
  WebSocketReader reader(of_client(0));
  std::string head(
      "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
      "mask",
      14);
  reader.put(as_bytes(head));
  EXPECT_FALSE(reader.next());
  std::string much(100'000, 'x');
  reader.put(as_bytes(much));
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.failure(), "");
}

TEST(WebSocket, RefusesLengthsThatAreNotInTheirShortestForm) {
  EXPECT_EQ(refusal(of_server(), std::string_view("\x81\x7e\x00\x7dxxx", 7)), "! a length is not in its shortest form");
  EXPECT_EQ(refusal(of_server(), std::string_view("\x81\x7f\0\0\0\0\0\0\xff\xffx", 11)),
            "! a length is not in its shortest form");
  EXPECT_EQ(refusal(of_server(), std::string_view("\x81\x7f\x80\0\0\0\0\0\0\x01x", 11)),
            "! a length is larger than 2^63 - 1");
}

TEST(WebSocket, RefusesMasksAtTheWrongSide) {
  EXPECT_EQ(refusal(of_server(), frame(kText, "a", kMask)), "! a server's frame is masked");
  EXPECT_EQ(refusal(of_client(), frame(kText, "a")), "! a client's frame is not masked");
}

TEST(WebSocket, RefusesOpcodesAndBitsWithoutAMeaning) {
  for (int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    EXPECT_EQ(refusal(of_server(), frame(opcode, "a")), "! opcode " + std::to_string(opcode) + " is unknown");
  EXPECT_EQ(refusal(of_server(), frame(kText | 0x20, "a")), "! a reserved bit is set");
  EXPECT_EQ(refusal(deflating(), frame(kText | 0x10, "a")), "! a reserved bit is set");
  constexpr std::string_view kNowhere = "! a frame is marked as compressed where it cannot be";
  EXPECT_EQ(refusal(of_server(), frame(kText | kCompressed, "a")), kNowhere) << "not agreed on";
  EXPECT_EQ(refusal(deflating(), frame(kPing | kCompressed, "a")), kNowhere) << "a control frame";
  EXPECT_EQ(refusal(deflating(), frame(kText | kNotFinal, "a") + frame(kContinues | kCompressed, "b")), kNowhere)
      << "not the first frame";
}

TEST(WebSocket, RefusesFramesOutOfOrder) {
  EXPECT_EQ(refusal(of_server(), frame(kContinues, "a")), "! a continuation of nothing");
  EXPECT_EQ(refusal(of_server(), frame(kText, "a") + frame(kContinues, "b")), "text 1 a\n! a continuation of nothing");
  EXPECT_EQ(refusal(of_server(), frame(kText | kNotFinal, "a") + frame(kText, "b")),
            "! a message begins within another");
}

TEST(WebSocket, RefusesControlFramesThatAreLongOrInPieces) {
  EXPECT_EQ(read(of_server(), frame(kPing, std::string(125, 'p'))), "ping 125 ...");
  EXPECT_EQ(refusal(of_server(), frame(kPing, std::string(126, 'p'))), "! a control frame has more than 125 octets");
  EXPECT_EQ(refusal(of_server(), frame(kPing | kNotFinal, "p")), "! a control frame is in pieces");
  EXPECT_EQ(refusal(of_server(), frame(kClose, std::string(70'000, 'p'))),
            "! a control frame has more than 125 octets");
}

TEST(WebSocket, ReadsCodeAndReasonOfAClose) {
  EXPECT_EQ(read(of_server(), frame(kClose, "")), "close 0");
  EXPECT_EQ(read(of_server(), frame(kClose, close_payload(1000))), "close 1000 2/0");
  EXPECT_EQ(read(of_client(), frame(kClose, close_payload(4999, "b\xc3\xa4h"), kMask)), "close 4999 6/4 b\xc3\xa4h");
}

TEST(WebSocket, RefusesClosesThatMayNotBeSent) {
  EXPECT_EQ(refusal(of_server(), frame(kClose, "x")), "! a close frame has half a code");
  for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535})
    EXPECT_EQ(refusal(of_server(), frame(kClose, close_payload(code))),
              "! close code " + std::to_string(code) + " may not be sent");
  for (int code : {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999})
    EXPECT_EQ(read(of_server(), frame(kClose, close_payload(code))), "close " + std::to_string(code) + " 2/0");
  EXPECT_EQ(refusal(of_server(), frame(kClose, close_payload(1000, "\xff"))),
            "! the reason of a close frame is no UTF-8");
  EXPECT_EQ(refusal(of_server(), frame(kClose, "") + frame(kText, "x")), "close 0\n! something follows a close frame");
}

TEST(WebSocket, KeepsTheBeginningOfContentAndCountsAllOfIt) {
  EXPECT_EQ(read(of_server(4), frame(kText, "0123456789") + frame(kText | kNotFinal, "ab") + frame(kContinues, "cdef")),
            "text 10 0123\ntext 6 abcd");
  Compressor compressor;
  EXPECT_EQ(read(deflating({}, 3), frame(kText | kCompressed, compressor.message("abcdef"))), "text 8/6 abc");
}

TEST(WebSocket, OnlyCountsWhenNoContentIsWanted) {
  EXPECT_EQ(read(of_client(0), frame(kText, "hello", kMask) + frame(kPing, "p", kMask)), "text 5\nping 1 p");
  EXPECT_EQ(read(deflating({}, 0), frame(kText | kCompressed, "no deflated bytes")), "text 17")
      << "nothing is inflated";
}

TEST(WebSocket, InflatesMessagesThatReferToThoseBeforeThem) {
  Compressor compressor;
  std::string bytes;
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    std::string content = "a message like the others, number " + std::to_string(i);
    std::string coded = compressor.message(content);
    bytes += frame(kText | kCompressed | kNotFinal, coded.substr(0, 1)) + frame(kPing, "") +
             frame(kContinues, coded.substr(1));
    expected += (i == 0 ? "" : "\n") + std::string("ping 0\ntext ") + std::to_string(coded.size()) + "/" +
                std::to_string(content.size()) + " " + content;
  }
  EXPECT_EQ(read(deflating(), bytes), expected);
}

TEST(WebSocket, InflatesMessagesThatStandAlone) {
  Compressor compressor;
  std::string bytes, expected;
  for (int i = 0; i < 3; ++i) {
    std::string coded = compressor.message("the same, the same");
    compressor.forget();
    bytes += frame(kText | kCompressed, coded) + frame(kText, "plain");
    expected += "text " + std::to_string(coded.size()) + "/18 the same, the same\ntext 5 plain\n";
  }
  MessageDeflate alone{.takes_over_context = false};
  EXPECT_EQ(read(deflating(alone), bytes) + "\n", expected);
}

TEST(WebSocket, InflatesWithSmallWindows) {
  for (int bits = 9; bits <= 15; ++bits) {
    Compressor compressor(bits);
    std::string content;
    for (int i = 0; i < 5000; ++i) content += std::to_string(i * 7919 % 1000) + " ";
    std::string bytes =
        frame(kText | kCompressed, compressor.message(content)) + frame(kText | kCompressed, compressor.message("end"));
    EXPECT_TRUE(read(deflating(), bytes).ends_with("/3 end")) << bits;
  }
}

TEST(WebSocket, GoesOnBehindABlockThatSaysItIsTheLast) {
  Compressor compressor;
  std::string bytes = frame(kText | kCompressed, compressor.last_message("first")) +
                      frame(kText | kCompressed, compressor.message("second")) +
                      frame(kText | kCompressed, compressor.last_message("third"));
  EXPECT_EQ(read(deflating(), bytes), "text 8/5 first\ntext 8/6 second\ntext 8/5 third");
}

TEST(WebSocket, RefusesToCopyTheWindowForEveryFewOctets) {
  std::string blocks;
  for (int i = 0; i < 100; ++i) blocks += std::string_view("\x03\x00", 2);  // an empty last block
  EXPECT_EQ(read(deflating(), frame(kText | kCompressed, blocks) + frame(kText, "x")),
            "text 200\ntext 1\n? a compressed message ends more than once");
}

TEST(WebSocket, CountsOnWhenSomethingCannotBeInflated) {
  EXPECT_EQ(read(deflating(), frame(kText | kCompressed, "\xff\xff\xff\xff") + frame(kBinary, "on")),
            "text 4\nbinary 2\n? a compressed message cannot be inflated");
}

TEST(WebSocket, StopsInflatingBombs) {
  Compressor compressor;
  std::string megabyte(1 << 20, 'x'), bytes, bomb;
  for (int i = 0; i < 20; ++i) bomb += compressor.message(megabyte) + std::string("\0\0\xff\xff", 4);
  bomb.resize(bomb.size() - 4);
  std::string found = read(deflating({}, 100), frame(kText | kCompressed, bomb) + frame(kText, "on"));
  EXPECT_TRUE(found.ends_with("text 2\n? messages inflate to more than is read of them")) << found;
}

TEST(WebSocket, StopsInflatingManySmallBombs) {
  Compressor compressor;
  std::string bytes;
  for (int i = 0; i < 40; ++i) bytes += frame(kText | kCompressed, compressor.message(std::string(1 << 20, 'x')));
  std::string found = read(deflating({}, 10), bytes);
  EXPECT_TRUE(found.ends_with("? messages inflate to more than is read of them"));
  EXPECT_NE(found.find("/1048576"), std::string::npos) << "the first ones are read";
}

}  // namespace
}  // namespace waylay::http
