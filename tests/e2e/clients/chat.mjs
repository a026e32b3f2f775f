// Node's own WebSocket with support/chat_origin.py: node --experimental-websocket chat.mjs HOST. Prints what came of it.

const socket = new WebSocket(`wss://${process.argv[2]}/chat?room=node`);
socket.binaryType = "arraybuffer";
const messages = ["hello", "a text that deflates well, ".repeat(40), new Uint8Array(100_000).fill(7)];
const found = { echoed: 0 };

const text = (message) => (typeof message === "string" ? message : Buffer.from(message).toString("latin1"));
const failed = new Promise((_, reject) => socket.addEventListener("error", (event) => reject(event.error ?? new Error("failed"))));
const next = (name) => Promise.race([new Promise((resolve) => socket.addEventListener(name, resolve, { once: true })), failed]);

await next("open");
for (const message of messages) {
  const answer = next("message");
  socket.send(message);
  found.echoed += text((await answer).data) === text(message) ? 1 : 0;
}
const closed = next("close");
socket.close(3456, "done");
found.close = (await closed).code;
console.log(JSON.stringify(found));
process.exit(0);
