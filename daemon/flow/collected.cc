#include "flow/collected.h"

#include "body/message_body.h"

namespace waylay::flow {
namespace {

Result<std::string> made(const rules::BodyEdit& edit, const body::Content* content) {
  if (edit.replacement) return *edit.replacement;
  if (!content) return fail(Error::local(ErrorKind::Invalid, "its coding cannot be undone"));
  return edit.edit->apply(*content);
}

}  // namespace

std::unique_ptr<body::Content> decoded(const http::Head& head, std::string_view body, Notes& notes) {
  Result<body::Content> content = body::read_content(head, body);
  if (content) return std::make_unique<body::Content>(*std::move(content));
  notes.push_back("a body could not be read: " + content.error().message);
  return nullptr;
}

BodyEditor::BodyEditor(Of message, std::span<rules::Plan* const> plans) {
  for (const rules::Plan* plan : plans) {
    if (!plan) continue;
    for (const rules::BodyEdit& edit : message == Of::Request ? plan->request_body : plan->response_body)
      edits_.push_back({&edit, &plan->applied.at(edit.applied).rule});
  }
}

std::optional<std::string> BodyEditor::edit(http::Head& head, http::Trailers& trailers, const body::Content* content,
                                            std::string_view sent, Notes& notes) const {
  std::optional<body::Content> current;
  std::string_view must_stay = body::why_not_edited(head);
  for (const Wanted& wanted : edits_) {
    auto refuse = [&](std::string_view why) {
      notes.push_back(*wanted.rule + ": the body was not edited: " + std::string(why));
    };
    if (!must_stay.empty()) {
      refuse(must_stay);
      continue;
    }
    Result<std::string> text = made(*wanted.edit, current ? &*current : content);
    if (text) {
      current.emplace(*std::move(text));
    } else {
      refuse(text.error().message);
    }
  }
  if (!current) return std::nullopt;
  return body::put_content(head, trailers, current->text(), sent);
}

}  // namespace waylay::flow
