// What of an AWS call only its request's body tells: the operation of a query protocol's form ("Action="), and the
// table that a DynamoDB operation is about.
//
// Of several tables (batches, transactions) the first one counts; of an ARN the table's name. A statement of PartiQL is
// not looked into (Amazon DynamoDB API Reference; table ARNs are arn:aws:dynamodb:REGION:ACCOUNT:table/NAME[/...]).
#pragma once

#include "aws/call.h"

namespace waylay::aws {

// Whether there is something to be learned from the body that is still to come.
bool is_told_by_body(const http::Head& request, const Call& call);

// Fills call.operation or call.table; leaves the call as it is when the body does not tell.
void read_body(std::string_view body, Call& call);

}  // namespace waylay::aws
