#include "body/json_patch.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/check.h"
#include "base/nearest.h"
#include "body/coding.h"
#include "body/json_pointer.h"

namespace waylay::body {
namespace {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;

enum class Op : uint8_t { Add, Remove, Replace, Move, Copy, Test };

struct Spelling {
  std::string_view name;
  Op op;
  std::string_view needs;  // beside op and path
};
constexpr auto kOperations = std::to_array<Spelling>({{"add", Op::Add, "value"},
                                                      {"remove", Op::Remove, ""},
                                                      {"replace", Op::Replace, "value"},
                                                      {"move", Op::Move, "from"},
                                                      {"copy", Op::Copy, "from"},
                                                      {"test", Op::Test, "value"}});

using Pointer = std::vector<std::string>;

struct Operation {
  Op op = Op::Test;
  Pointer path, from;
  Json value;
  std::string text;  // "replace /a/0"
};

Result<std::string> written(const Json& document) {
  std::string text = document.dump();
  if (text.size() <= kMostDecoded) return text;
  return fail(
      Error::local(ErrorKind::Limit, "the body would become larger than " + std::to_string(kMostDecoded) + " bytes"));
}

std::unexpected<Error> not_json(const Content& content) {
  if (content.text().size() <= kMostJsonBytes) return fail(Error::local(ErrorKind::Invalid, "the body is not JSON"));
  return fail(
      Error::local(ErrorKind::Limit, "as JSON, a body has at most " + std::to_string(kMostJsonBytes) + " bytes"));
}

Json* find(Json& document, std::span<const std::string> pointer) {
  Json* place = &document;
  for (const std::string& token : pointer) {
    std::optional<size_t> index = index_of(token);
    if (place->is_object()) {
      auto member = place->find(token);
      if (member == place->end()) return nullptr;
      place = &*member;
    } else if (place->is_array() && index && *index < place->size()) {
      place = &(*place)[*index];
    } else {
      return nullptr;
    }
  }
  return place;
}

// Each is false where RFC 6902 section 4 says that the operation fails.
bool add(Json& document, const Pointer& path, Json value) {
  if (path.empty()) {
    document = std::move(value);
    return true;
  }
  Json* parent = find(document, std::span(path).first(path.size() - 1));
  if (parent == nullptr) return false;
  if (parent->is_object()) {
    (*parent)[path.back()] = std::move(value);
    return true;
  }
  if (!parent->is_array()) return false;
  std::optional<size_t> index = path.back() == "-" ? parent->size() : index_of(path.back());
  if (!index || *index > parent->size()) return false;
  parent->insert(parent->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
  return true;
}

bool remove(Json& document, const Pointer& path) {
  if (find(document, path) == nullptr) return false;
  Json& parent = *find(document, std::span(path).first(path.size() - 1));
  if (parent.is_object())
    parent.erase(path.back());
  else
    parent.erase(*index_of(path.back()));
  return true;
}

bool apply(Json& document, const Operation& operation) {
  Json* at = find(document, operation.path);
  Json* from = find(document, operation.from);
  switch (operation.op) {
    case Op::Add:
      return add(document, operation.path, operation.value);
    case Op::Remove:
      return remove(document, operation.path);
    case Op::Replace:
      if (at != nullptr) *at = operation.value;
      return at != nullptr;
    case Op::Move: {
      if (from == nullptr) return false;
      Json value = *from;
      return remove(document, operation.from) && add(document, operation.path, std::move(value));
    }
    case Op::Copy:
      return from != nullptr && add(document, operation.path, Json(*from));
    case Op::Test:
      return at != nullptr && *at == operation.value;
  }
  CHECK(!"an operation");
}

class JsonPatch final : public Edit {
 public:
  explicit JsonPatch(std::vector<Operation> operations) : operations_(std::move(operations)) {}

  std::string_view what() const override { return "json_patch"; }

  Result<std::string> apply(const Content& content) const override {
    if (content.json() == nullptr) return not_json(content);
    Json document = *content.json();
    for (const Operation& operation : operations_) {
      if (body::apply(document, operation)) continue;
      std::string_view why = operation.op == Op::Test ? ": the value is another one, or not there"
                                                      : ": there is no such place in the body";
      return fail(Error::local(ErrorKind::Invalid, operation.text + std::string(why)));
    }
    return written(document);
  }

 private:
  std::vector<Operation> operations_;
};

class MergePatch final : public Edit {
 public:
  explicit MergePatch(const Ordered& patch) : patch_(patch) {}

  std::string_view what() const override { return "merge_patch"; }

  Result<std::string> apply(const Content& content) const override {
    if (content.json() == nullptr) return not_json(content);
    Json document = *content.json();
    document.merge_patch(patch_);
    return written(document);
  }

 private:
  Json patch_;
};

bool is_inside(const Pointer& path, const Pointer& place) {
  return path.size() > place.size() && std::ranges::equal(std::span(path).first(place.size()), place);
}

// Reads one operation; the mistake's pointer is within it.
class OperationReader {
 public:
  explicit OperationReader(const Ordered& json) : json_(json) {}

  std::expected<Operation, Mistake> read() {
    if (!json_.is_object()) return wrong("", "must be an object, as in {\"op\": \"remove\", \"path\": \"/a/0\"}");
    const Spelling* known = read_op();
    if (known == nullptr) return std::unexpected(*mistake_);
    operation_.op = known->op;
    operation_.path = read_place("path");
    if (known->needs == "from") operation_.from = read_place("from");
    if (known->needs == "value") read_value();
    check_members(*known);
    if (known->op == Op::Remove && operation_.path.empty() && !mistake_)
      return wrong("/path", "the whole document cannot be removed");
    // RFC 6902 section 4.4.
    if (known->op == Op::Move && is_inside(operation_.path, operation_.from) && !mistake_)
      return wrong("/path", "nothing can be moved into itself");
    if (mistake_) return std::unexpected(*std::move(mistake_));
    operation_.text = std::string(known->name) + " " + json_.at("path").get<std::string>();
    return std::move(operation_);
  }

 private:
  const Spelling* read_op() {
    auto op = json_.find("op");
    if (op == json_.end()) return refuse("", "needs \"op\": add, remove, replace, move, copy or test");
    if (!op->is_string()) return refuse("/op", "must be text in quotes");
    const auto& name = op->get_ref<const std::string&>();
    for (const Spelling& known : kOperations)
      if (known.name == name) return &known;
    std::vector<std::string_view> names;
    names.reserve(std::size(kOperations));
    for (const Spelling& known : kOperations) names.push_back(known.name);
    return refuse("/op", "is not an operation of RFC 6902" + did_you_mean(name, names));
  }

  Pointer read_place(std::string_view key) {
    auto found = json_.find(key);
    if (found == json_.end()) return missing(key);
    std::string place = pointer_to(key);
    if (!found->is_string()) {
      refuse(place, "must be a JSON pointer in quotes, as in \"/a/0\"");
      return {};
    }
    std::optional<Pointer> pointer = read_pointer(found->get_ref<const std::string&>());
    if (!pointer) refuse(place, "must be a JSON pointer, as in \"/a/0\" (a path of an expression, $.a[0], is none)");
    return pointer ? *std::move(pointer) : Pointer{};
  }

  void read_value() {
    auto found = json_.find("value");
    if (found == json_.end())
      missing("value");
    else
      operation_.value = Json(*found);
  }

  void check_members(const Spelling& known) {
    for (const auto& [key, value] : json_.items())
      if (key != "op" && key != "path" && key != known.needs)
        refuse(pointer_to(key), "does not go with \"" + std::string(known.name) + "\"");
  }

  Pointer missing(std::string_view key) {
    refuse("", "needs \"" + std::string(key) + "\"");
    return {};
  }
  // The first mistake is the one that is told.
  const Spelling* refuse(std::string pointer, std::string what) {
    if (!mistake_) mistake_ = Mistake{std::move(pointer), std::move(what)};
    return nullptr;
  }
  static std::unexpected<Mistake> wrong(std::string pointer, std::string what) {
    return std::unexpected(Mistake{std::move(pointer), std::move(what)});
  }

  const Ordered& json_;
  Operation operation_;
  std::optional<Mistake> mistake_;
};

}  // namespace

std::expected<std::shared_ptr<const Edit>, Mistake> make_json_patch(const Ordered& operations) {
  if (!operations.is_array() || operations.empty())
    return std::unexpected(Mistake{"/json_patch", "must be a list of operations (RFC 6902)"});
  std::vector<Operation> read;
  for (size_t i = 0; i < operations.size(); ++i) {
    std::expected<Operation, Mistake> operation = OperationReader(operations[i]).read();
    if (!operation) {
      operation.error().pointer.insert(0, "/json_patch/" + std::to_string(i));
      return std::unexpected(operation.error());
    }
    read.push_back(*std::move(operation));
  }
  return std::make_shared<const JsonPatch>(std::move(read));
}

std::expected<std::shared_ptr<const Edit>, Mistake> make_merge_patch(const Ordered& patch) {
  if (!patch.is_object()) return std::unexpected(Mistake{"/merge_patch", "must be an object (RFC 7386)"});
  return std::make_shared<const MergePatch>(patch);
}

}  // namespace waylay::body
