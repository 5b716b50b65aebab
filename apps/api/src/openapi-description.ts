/** The first thing that a reader of the OpenAPI document sees. */
export const apiDescription = `
Gives machines access to APIs through client credentials, and takes it away again at once.

**Sign in** with *Authorize*: as a person (\`person\`) for everything under \`/v1\`; as a client or resource server for \`/oauth2\`.
`;
