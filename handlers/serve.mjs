#!/usr/bin/env node
// Serves an ordinary AWS Lambda handler in JavaScript to a Waylay rule, where the Lambda runtime emulator is not at
// hand.
//
//     serve.mjs FILE.FUNCTION [--listen 127.0.0.1:9000 | --listen unix:/run/hook.sock]
//
// The rule: {"name": "mine", "match": "...", "handler": {"url": "http://127.0.0.1:9000"}}. FILE is app, ./app or
// /path/app: with .mjs, .js or .cjs behind it. Handlers may be async or take a callback.
import { randomUUID } from 'node:crypto';
import { existsSync, statSync, unlinkSync, chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const kInvocations = /^\/2015-03-31\/functions\/[^/]+\/invocations$/;

function contextOf(name) {
  const end = Date.now() + 900_000;
  return {
    functionName: name,
    functionVersion: '$LATEST',
    memoryLimitInMB: '128',
    awsRequestId: randomUUID(),
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    getRemainingTimeInMillis: () => Math.max(0, end - Date.now()),
  };
}

async function load(handler) {
  const dot = handler.lastIndexOf('.');
  if (dot <= 0) throw new Error('the handler is named as in Lambda: FILE.FUNCTION, such as app.handler');
  const base = resolve(handler.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((suffix) => base + suffix).find(existsSync);
  if (!file) throw new Error(`there is no ${base}.mjs, .js or .cjs`);
  const module = await import(pathToFileURL(file).href);
  const name = handler.slice(dot + 1);
  const found = module[name] ?? module.default?.[name];
  if (typeof found !== 'function') throw new Error(`${file} exports no function ${name}`);
  return found;
}

function call(handler, event, context) {
  if (handler.length < 3) return Promise.resolve(handler(event, context));
  return new Promise((done, failed) => handler(event, context, (error, result) => (error ? failed(error) : done(result))));
}

async function answer(handler, name, request, response) {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  if (request.method !== 'POST' || !kInvocations.test(request.url)) return response.writeHead(404).end('{}');
  try {
    const result = await call(handler, JSON.parse(text), contextOf(name));
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(result ?? null));
  } catch (error) {
    console.error(error);
    response.writeHead(200, { 'Content-Type': 'application/json', 'X-Amz-Function-Error': 'Unhandled' });
    response.end(JSON.stringify({ errorType: error?.name ?? 'Error', errorMessage: String(error?.message ?? error) }));
  }
}

const words = process.argv.slice(2);
const at = words.indexOf('--listen');
const where = at < 0 ? '127.0.0.1:9000' : words.splice(at, 2)[1];
if (words.length !== 1 || !where) {
  console.error('usage: serve.mjs FILE.FUNCTION [--listen ADDRESS:PORT | --listen unix:PATH]');
  process.exit(2);
}
const handler = await load(words[0]);
const server = createServer((request, response) => answer(handler, words[0], request, response));
if (where.startsWith('unix:')) {
  const path = where.slice(5);
  if (existsSync(path) && statSync(path).isSocket()) unlinkSync(path);
  server.listen(path, () => {
    chmodSync(path, 0o666); // the proxy is a user of its own
    console.log(`serving ${words[0]} on ${where}`);
  });
} else {
  const colon = where.lastIndexOf(':');
  server.listen(Number(where.slice(colon + 1)), where.slice(0, colon), () => console.log(`serving ${words[0]} on ${where}`));
}
