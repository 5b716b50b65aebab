import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { keepAnswers } from './http/kept-answers.ts';
import { SessionCookie } from './http/session-cookie.ts';
import { completeDocument } from './openapi/complete.ts';
import { apiDescription } from './openapi/description.ts';
import type { Deployment } from './openapi/description.ts';
import { tags } from './openapi/tags.ts';
import { loadPlugin, passRequest } from './openapi/page.ts';

/** What apps/swagger-ui is built into; this file is part of dist/latchkey.mjs. */
const PAGE_FILES = join(import.meta.dirname, 'swagger-ui');

/** Both hold the whole document. */
const LARGE_PATHS = ['/openapi.json', '/docs/swagger-ui-init.js'];

/** Serves Swagger UI at `/docs` and the document at `/openapi.json`, without any outside network. */
export function serveDocs(app: NestFastifyApplication, deployment: Deployment): void {
  const { publicPath } = deployment;
  const page = `${publicPath}/docs/page`;
  keepAnswers(app.getHttpAdapter().getInstance(), LARGE_PATHS);
  void app.register(fastifyStatic, { root: PAGE_FILES, prefix: '/docs/page/', decorateReply: false });
  // built at the first request: it would add a tenth of a second to the start
  SwaggerModule.setup('docs', app, () => openApiDocument(app, deployment), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Latchkey',
    customJs: `${page}/latchkey.js`,
    customCssUrl: `${page}/latchkey.css`,
    customfavIcon: `${publicPath}/docs/favicon-32x32.png`,
    swaggerOptions: {
      persistAuthorization: false,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      docExpansion: 'list',
      queryConfigEnabled: false,
      validatorUrl: null,
      layout: 'LatchkeyLayout',
      requestInterceptor: passRequest,
      plugins: [loadPlugin],
    },
  });
}

/** The OpenAPI document of the service. */
export function openApiDocument(app: NestFastifyApplication, deployment: Deployment): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Latchkey')
    .setVersion('1')
    .setDescription(apiDescription(deployment))
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer(deployment.publicPath || '/', 'This instance.');
  addSignIns(builder, deployment, app.get(SessionCookie).name);
  for (const { name, description } of tags) builder.addTag(name, description);
  return completeDocument(
    SwaggerModule.createDocument(app, builder.build(), {
      operationIdFactory: operationIdOf,
      autoTagControllers: false,
    }),
    deployment,
  );
}

/** The ways to sign in, in the order in which *Authorize* shows them. */
function addSignIns(builder: DocumentBuilder, { oidc }: Deployment, cookie: string): void {
  const basic = { type: 'http', scheme: 'basic' } as const;
  const bearer = { type: 'http', scheme: 'bearer' } as const;
  builder
    .addBasicAuth({ ...basic, description: 'A client: its `clientId` and `clientSecret`.' }, 'client')
    .addBasicAuth(
      { ...basic, description: 'A resource server: its `id` and `resourceServerSecret`.' },
      'resourceServer',
    )
    .addBearerAuth({ ...bearer, description: 'A caller of an API behind a gateway: an access token.' }, 'accessToken')
    .addCookieAuth(
      cookie,
      { type: 'apiKey', in: 'cookie', description: 'A person who has signed in by `POST /v1/session`.' },
      'session',
    )
    .addBasicAuth({ ...basic, description: 'A person: user name and password.' }, 'person')
    .addBearerAuth({ ...bearer, description: 'A service user: an API key, `lk_ak_…`.' }, 'apiKey');
  if (!oidc) return;
  const description = 'A person: a JWT of the company’s OpenID Connect provider.';
  builder.addBearerAuth({ ...bearer, bearerFormat: 'JWT', description }, 'oidc');
}

/**
 * `credentials_create` for CredentialsController.create; a bundler may have put a number after the name of the class.
 */
function operationIdOf(controller: string, method: string): string {
  const name = controller.replace(/Controller\d*$/, '');
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${method}`;
}
