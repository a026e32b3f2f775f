// Random expressions, written as text in random spellings, agree with a reference that evaluates the tree they were
// made from.
#include <random>

#include "unit/match/support.h"

namespace waylay::match {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(engine_); }
  const char* one_of(std::initializer_list<const char*> choices) {
    return choices.begin()[below(static_cast<int>(choices.size()))];
  }

 private:
  std::mt19937 engine_;
};

// A value of JSON; monostate is an object.
using Item = std::variant<std::monostate, bool, int, double, std::string>;

// What the reference knows of a subject: small numbers, for each moment at least one field, for each type at least one,
// and a header with several values.
struct World {
  std::optional<int> pid, version, attempt, code;
  std::vector<std::string> tags;
  std::optional<Item> item;                   // body.json
  std::optional<std::string> text;            // response.body.text
  std::optional<int> octet, time, kibibytes;  // of ip.dst, 10.0.0.0 to 10.0.0.7; http.time in seconds; a size
  std::optional<bool> injected;

  static World random(Random& random) {
    auto number = [&]() -> std::optional<int> {
      return random.below(4) == 0 ? std::nullopt : std::optional<int>(random.below(5));
    };
    World world{number(), number(), number(), number(), {}, {}, {}, number(), number(), number(), {}};
    if (random.below(4) > 0) world.item = random_item(random);
    if (random.below(4) > 0) world.text = random.one_of({"", "a", "b", "ab", "ba"});
    if (random.below(4) > 0) world.injected = random.below(2) == 0;
    for (int i = random.below(3); i > 0; --i) world.tags.emplace_back(random.one_of({"", "a", "b", "ab", "ba"}));
    return world;
  }

  FakeSubject subject() const {
    FakeSubject subject;
    if (pid) subject.with(Field::ProcPid, *pid);
    if (version) subject.with(Field::TlsVersion, *version);
    if (attempt) subject.with(Field::AwsAttempt, *attempt);
    if (code) subject.with(Field::HttpResponseCode, *code);
    for (const std::string& tag : tags) subject.with(Field::HttpHeader, tag, "tag");
    if (item) subject.with(Field::BodyJson, std::visit(Stored{}, *item), "a/0/b c");
    if (text) subject.with(Field::ResponseBodyText, *text);
    if (octet) subject.with_address(Field::IpDestination, ("10.0.0." + std::to_string(*octet)).c_str());
    if (time) subject.with(Field::HttpTime, FakeSubject::Stored(*time * int64_t{1'000'000'000}));
    if (kibibytes) subject.with(Field::HttpContentLength, FakeSubject::Stored(*kibibytes * int64_t{1024}));
    if (injected) subject.with(Field::ExchangeInjected, FakeSubject::Stored(*injected));
    return subject;
  }

 private:
  struct Stored {
    FakeSubject::Stored operator()(std::monostate) const { return Compound(); }
    FakeSubject::Stored operator()(int number) const { return int64_t{number}; }
    template <class T>
    FakeSubject::Stored operator()(const T& value) const {
      return value;
    }
  };

  static Item random_item(Random& random) {
    switch (random.below(5)) {
      case 0:
        return random.below(2) == 0;
      case 1:
        return random.below(7) - 2;
      case 2:
        return random.below(14) / 2.0 - 2;
      case 3:
        return std::string(random.one_of({"", "a", "b", "ab", "ba"}));
      default:
        return std::monostate();
    }
  }
};

using Answer = std::optional<bool>;  // nothing: unknown

struct Tree {
  enum class Kind { All, Any, Not, Number, Tag, Json, Text, Address, Duration, Size, Flag } kind = Kind::Number;
  std::vector<Tree> children;
  int field = 0;    // of Number: 0 pid, 1 version, 2 attempt, 3 code
  int compare = 0;  // 0 presence, 1 ==, 2 !=, 3 <, 4 >, 5 <=, 6 >=, 7 in, 8 contains (strings)
  int low = 0, high = 0;
  std::string text;      // of Tag, Text and Json
  int literal_kind = 0;  // of Json: 0 an integer, 1 a decimal, 2 a string, 3 true

  static Tree random(Random& random, int depth) {
    Tree tree;
    constexpr int kKinds = 11, kLeaves = 8;
    int kind = depth == 0 ? kKinds - kLeaves + random.below(kLeaves) : random.below(kKinds);
    tree.kind = static_cast<Kind>(kind);
    int children = kind <= 1 ? 2 + random.below(2) : kind == 2 ? 1 : 0;
    for (int i = 0; i < children; ++i) tree.children.push_back(Tree::random(random, depth - 1));
    tree.field = random.below(4);
    tree.literal_kind = random.below(4);
    bool json_text = tree.kind == Kind::Json && tree.literal_kind == 2;
    tree.compare = random.below(tree.kind == Kind::Tag || tree.kind == Kind::Text || json_text ? 9 : 8);
    bool unordered = tree.kind == Kind::Flag || (tree.kind == Kind::Json && tree.literal_kind == 3);
    if (unordered && tree.compare > 2) tree.compare = 1;
    tree.low = random.below(5);
    tree.high = tree.low + random.below(3);
    tree.text = random.one_of({"", "a", "b", "ab", "c"});
    return tree;
  }

  std::string spell(Random& random) const {
    switch (kind) {
      case Kind::All:
        return spell_children(random, {" and ", "&&", " && ", "\nand\n"}, Kind::Any);
      case Kind::Any:
        return spell_children(random, {" or ", "||", " || "}, Kind::Number);
      case Kind::Not: {
        bool group = children[0].kind == Kind::All || children[0].kind == Kind::Any || random.below(4) == 0;
        std::string inner = children[0].spell(random);
        return random.one_of({"not ", "!", "! "}) + (group ? "(" + inner + ")" : inner);
      }
      case Kind::Number: {
        std::string name = random_name(random);
        if (compare == 7) return name + " in {" + std::to_string(low) + ".." + std::to_string(high) + ", 17}";
        return name + spell_operator(random) + (compare == 0 ? "" : std::to_string(low));
      }
      case Kind::Tag: {
        std::string name = random.one_of({"http.header[\"tag\"]", "http.header[\"TAG\"]", "http.header [r\"Tag\"]"});
        if (compare == 7) return name + " in {\"x\", \"" + text + "\"}";
        return name + spell_operator(random) + (compare == 0 ? "" : "\"" + text + "\"");
      }
      case Kind::Json:
        return random.one_of({"body.json[\"$.a[0]['b c']\"]", "body.json [r\"$['a'][0]['b c']\"]"}) +
               spell_rest(random, json_literal(low), json_literal(high));
      case Kind::Text:
        return "response.body.text" + spell_rest(random, quoted(text), quoted(text));
      case Kind::Address:
        return random.one_of({"ip.dst", "ipv6.dst"}) +
               spell_rest(random, "10.0.0." + std::to_string(low), "10.0.0." + std::to_string(high));
      case Kind::Duration:
        return "http.time" + spell_rest(random, std::to_string(low) + "s", std::to_string(high * 1000) + "ms");
      case Kind::Size:
        return "http.content_length" + spell_rest(random, std::to_string(low) + "KiB", std::to_string(high * 1024));
      case Kind::Flag:
        return "exchange.injected" + spell_rest(random, low < 2 ? "true" : "false", "");
    }
    return "";
  }

  static std::string quoted(const std::string& string) { return "\"" + string + "\""; }

  std::string json_literal(int number) const {
    const std::string spellings[] = {std::to_string(number - 1), std::to_string(number - 1) + ".5", quoted(text),
                                     "true"};
    return spellings[literal_kind];
  }
  double json_number(int number) const {
    if (literal_kind == 0) return number - 1;
    return number - 1 + (number < 1 ? -0.5 : 0.5);  // -1.5, 0.5, 1.5
  }

  // What stands behind the field, where `from` and `to` are the literals.
  std::string spell_rest(Random& random, const std::string& from, const std::string& to) const {
    if (compare == 7) return " in {" + from + (random.below(2) == 0 ? ".." : " .. ") + to + "}";
    return spell_operator(random) + (compare == 0 ? "" : from);
  }

  // `looser` is the kind of children that needs parentheses; others get them now and then.
  std::string spell_children(Random& random, std::initializer_list<const char*> joins, Kind looser) const {
    std::string all;
    for (const Tree& child : children) {
      bool group = child.kind == looser || random.below(5) == 0;
      std::string inner = child.spell(random);
      if (!all.empty()) all += random.one_of(joins);
      all += group ? "( " + inner + ")" : inner;
    }
    return all;
  }

  std::string random_name(Random& random) const {
    switch (field) {
      case 0:
        return "proc.pid";
      case 1:
        return "tls.handshake.version";
      case 2:
        return "aws.attempt";
      default:
        return random.one_of({"http.response.code", "http2.headers.status"});
    }
  }

  std::string spell_operator(Random& random) const {
    switch (compare) {
      case 1:
        return random.one_of({"==", " == ", " eq "});
      case 2:
        return random.one_of({"!=", " != ", " ne "});
      case 3:
        return random.one_of({"<", " < ", " lt "});
      case 4:
        return random.one_of({">", " > ", " gt "});
      case 5:
        return random.one_of({"<=", " <= ", " le "});
      case 6:
        return random.one_of({">=", " >= ", " ge "});
      case 8:
        return " contains ";
      default:
        return "";
    }
  }

  Answer answer(const World& world, Moment now) const {
    switch (kind) {
      case Kind::All:
        return all_of(world, now, false);
      case Kind::Any:
        return all_of(world, now, true);
      case Kind::Not: {
        Answer inner = children[0].answer(world, now);
        return inner ? Answer(!*inner) : inner;
      }
      case Kind::Number:
        return number_answer(world, now);
      case Kind::Tag:
        return now < Moment::Request ? std::nullopt : Answer(tag_answer(world));
      case Kind::Json:
        return now < Moment::RequestBody ? std::nullopt : Answer(world.item && json_answer(*world.item));
      case Kind::Text:
        return now < Moment::ResponseBody ? std::nullopt : Answer(world.text && text_answer(*world.text));
      case Kind::Address:
        return world.octet && holds(*world.octet);
      case Kind::Duration:
        return now < Moment::End ? std::nullopt : Answer(world.time && holds(*world.time));
      case Kind::Size:
        return now < Moment::Request ? std::nullopt : Answer(world.kibibytes && holds(*world.kibibytes));
      case Kind::Flag:
        return now < Moment::End ? std::nullopt : Answer(world.injected && flag_answer(*world.injected));
    }
    return std::nullopt;
  }

  bool holds(int value) const {
    if (compare == 7) return low <= value && value <= high;
    return compare == 0 || compares(value, low);
  }

  bool flag_answer(bool value) const {
    if (compare == 0) return value;
    return (value == (low < 2)) == (compare == 1);
  }

  bool text_answer(const std::string& value) const {
    if (compare == 7) return value == text;
    if (compare == 8) return value.find(text) != std::string::npos;
    return compare == 0 || compares(value, text);
  }

  bool json_answer(const Item& value) const {
    if (compare == 0) return true;
    if (const auto* string = std::get_if<std::string>(&value); string && literal_kind == 2) return text_answer(*string);
    if (const auto* flag = std::get_if<bool>(&value); flag && literal_kind == 3) return *flag == (compare == 1);
    std::optional<double> number;
    if (const auto* integer = std::get_if<int>(&value)) number = *integer;
    if (const auto* decimal = std::get_if<double>(&value)) number = *decimal;
    if (!number || literal_kind > 1) return compare == 2;  // of another type: different, without an order
    if (compare == 7) return json_number(low) <= *number && *number <= json_number(high);
    return compares(*number, json_number(low));
  }

  // De Morgan: any is not all not.
  Answer all_of(const World& world, Moment now, bool inverted) const {
    bool unknown = false, no = false;
    for (const Tree& child : children) {
      Answer one = child.answer(world, now);
      unknown = unknown || !one;
      no = no || (one && *one == inverted);
    }
    if (no) return inverted;
    return unknown ? std::nullopt : Answer(!inverted);
  }

  Answer number_answer(const World& world, Moment now) const {
    constexpr Moment kMoments[] = {Moment::Connect, Moment::Hello, Moment::Request, Moment::Response};
    const std::optional<int> values[] = {world.pid, world.version, world.attempt, world.code};
    if (now < kMoments[field]) return std::nullopt;
    std::optional<int> value = values[field];
    if (!value) return false;
    if (compare == 7) return (low <= *value && *value <= high) || *value == 17;
    return compare == 0 || compares(*value, low);
  }

  bool tag_answer(const World& world) const {
    size_t holding = 0;
    for (const std::string& tag : world.tags) {
      bool holds = compare == 0 || compares(tag, text);
      if (compare == 7) holds = tag == text || tag == "x";
      if (compare == 8) holds = tag.find(text) != std::string::npos;
      holding += holds ? 1 : 0;
    }
    return compare == 2 ? holding > 0 && holding == world.tags.size() : holding > 0;
  }

  template <class T>
  bool compares(const T& a, const T& b) const {
    switch (compare) {
      case 1:
        return a == b;
      case 2:
        return a != b;
      case 3:
        return a < b;
      case 4:
        return a > b;
      case 5:
        return a <= b;
      case 6:
        return a >= b;
      default:
        return false;
    }
  }
};

Answer answer(const Expression& expression, const Subject& subject, Moment now) {
  Truth truth = expression.evaluate(subject, now);
  return truth == Truth::Unknown ? std::nullopt : Answer(truth == Truth::Yes);
}

TEST(RandomExpressions, AgreeWithTheReference) {
  constexpr unsigned kExpressions = 10'000;
  constexpr Moment kMoments[] = {Moment::Connect,  Moment::Hello,        Moment::Request, Moment::RequestBody,
                                 Moment::Response, Moment::ResponseBody, Moment::End};
  size_t answered[3] = {};  // no, yes, unknown
  for (unsigned seed = 0; seed < kExpressions; ++seed) {
    Random random(seed);
    Tree tree = Tree::random(random, 1 + random.below(4));
    std::string text = tree.spell(random);
    Expression expression = compiled(text);
    for (int i = 0; i < 4; ++i) {
      World world = World::random(random);
      FakeSubject subject = world.subject();
      for (Moment now : kMoments) {
        Answer expected = tree.answer(world, now);
        ASSERT_EQ(answer(expression, subject, now), expected)
            << "seed " << seed << " at " << to_string(now) << ": " << text;
        ++answered[expected ? (*expected ? 1 : 0) : 2];
      }
    }
  }
  for (size_t count : answered) EXPECT_GT(count, kExpressions) << "the expressions are too much alike";
}

}  // namespace
}  // namespace waylay::match
