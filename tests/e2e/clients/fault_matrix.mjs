// What fault_matrix.py does, with the AWS SDK for JavaScript: fault_matrix.mjs [--http2 ROWS] FAULT... With --http2 only the
// rows whose service's name begins so (several, with commas), over HTTP/2.
import { readFileSync } from 'node:fs';
import * as protocols from '@aws-sdk/core/protocols';
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler';

const faults = process.argv.slice(2);
const rows = faults[0] === '--http2' ? faults.splice(0, 2)[1].split(',') : null;
const services = JSON.parse(readFileSync(new URL('fault_matrix.json', import.meta.url)));
const requestHandler = rows ? new NodeHttp2Handler() : new NodeHttpHandler();

// Back-off delays last no time, and adaptive's client-side rate limit lets everything pass.
async function hurry(client) {
  const strategy = await client.config.retryStrategy();
  (strategy.standardRetryStrategy ?? strategy).retryBackoffStrategy.computeNextBackoffDelay = () => 0;
  if (strategy.rateLimiter) strategy.rateLimiter.getSendToken = async () => {};
}

async function caller(row, retryMode) {
  const [name, Client, Command, protocol] = row.js;
  const sdk = await import(`@aws-sdk/client-${name}`);
  const client = new sdk[Client]({ retryMode, requestHandler, forcePathStyle: true,
    ...(protocol && { protocol: protocols[protocol] }) });
  await hurry(client);
  let fault, requests;
  client.middlewareStack.add((next) => (args) => {
    args.request.headers['x-fault'] = fault;
    requests += 1;
    return next(args);
  }, { step: 'deserialize' });
  return async (wanted) => {
    [fault, requests] = [wanted, 0];
    try {
      await client.send(new sdk[Command](row.input));
      return { requests, class: null };
    } catch (error) {
      return { requests, class: error.constructor.name, code: error.name, status: error.$metadata?.httpStatusCode,
        'request id': Boolean(error.$metadata?.requestId), ...(error.$metadata?.httpStatusCode ? {} : { problem: String(error) }) };
    }
  };
}

for (const [service, row] of Object.entries(services)) {
  if (rows && !rows.some((name) => service.startsWith(name))) continue;
  for (const mode of ['standard', 'adaptive']) {
    const call = await caller(row, mode);
    for (const fault of faults) {
      const outcome = await call(`aws:${fault === 'named' ? row.named : fault}`);
      console.log(JSON.stringify({ service, fault, mode, ...outcome }));
    }
  }
}
requestHandler.destroy();
