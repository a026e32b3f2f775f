// Node's fetch reads documents in the codings that it knows; prints what it got as JSON.
const got = {};
for (const coding of ["identity", "gzip", "deflate", "br"]) {
  const response = await fetch(`https://shop.test/document/${coding}`);
  got[coding] = { document: await response.json(), etag: response.headers.get("etag") };
}
console.log(JSON.stringify(got));
