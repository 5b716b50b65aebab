import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { completeDocument } from './openapi/complete.ts';
import { apiDescription } from './openapi/description.ts';
import { tags } from './openapi/tags.ts';
import { SessionCookie } from './http/session-cookie.ts';
import { fillIn, remember } from './openapi/try-it-out.ts';
import { utf8Basic } from './openapi/utf8-basic.ts';

/**
 * Serves Swagger UI at `/docs` and the document at `/openapi.json`, without any outside network.
 * @param publicPath the path of PUBLIC_URL
 */
export function serveDocs(app: NestFastifyApplication, publicPath: string): void {
  // made at the first request: it costs a start a tenth of a second
  SwaggerModule.setup('docs', app, () => openApiDocument(app, publicPath), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Latchkey',
    customCss: '.swagger-ui .topbar { display: none }',
    customfavIcon: './docs/favicon-32x32.png',
    swaggerOptions: {
      persistAuthorization: false,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      docExpansion: 'list',
      queryConfigEnabled: false,
      validatorUrl: null,
      requestInterceptor: fillIn,
      responseInterceptor: remember,
      plugins: [utf8Basic],
    },
  });
}

/** The OpenAPI document of the service. @param publicPath the path of PUBLIC_URL */
export function openApiDocument(app: NestFastifyApplication, publicPath: string): OpenAPIObject {
  const basic = { type: 'http', scheme: 'basic' } as const;
  const builder = new DocumentBuilder()
    .setTitle('Latchkey')
    .setVersion('1')
    .setDescription(apiDescription(publicPath))
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer(publicPath || '/', 'This instance.')
    .addCookieAuth(
      app.get(SessionCookie).name,
      { type: 'apiKey', in: 'cookie', description: 'A person who has signed in by `POST /v1/session`.' },
      'session',
    )
    .addBasicAuth({ ...basic, description: 'A person: user name and password.' }, 'person')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'A person: a JWT of the company’s OpenID Connect provider.',
      },
      'oidc',
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A service user: an API key, `lk_ak_…`.' }, 'apiKey')
    .addBasicAuth({ ...basic, description: 'A client: its `clientId` and `clientSecret`.' }, 'client')
    .addBasicAuth(
      { ...basic, description: 'A resource server: its `id` and `resourceServerSecret`.' },
      'resourceServer',
    )
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        description: 'A caller of an API behind a gateway: an access token. This page sends the last one that you got.',
      },
      'accessToken',
    );
  for (const { name, description } of tags) builder.addTag(name, description);
  return completeDocument(
    SwaggerModule.createDocument(app, builder.build(), {
      operationIdFactory: operationIdOf,
      autoTagControllers: false,
    }),
  );
}

/**
 * `credentials_create` for CredentialsController.create; a bundler may have put a number after the name of the class.
 */
function operationIdOf(controller: string, method: string): string {
  const name = controller.replace(/Controller\d*$/, '');
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${method}`;
}
