// A Lambda function as people write them: nothing in it knows of Waylay.
export const handler = async (event) => ({
  statusCode: 201,
  headers: { 'content-type': 'text/plain' },
  body: Buffer.from(`${event.httpMethod} ${event.path} from ${event.requestContext.container.name}`).toString('base64'),
  isBase64Encoded: true,
});
