import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiDescription } from './openapi-description.ts';

/** Serves Swagger UI at `/docs` and the document at `/openapi.json`, without any outside network. */
export function serveDocs(app: NestFastifyApplication): void {
  // made at the first request: it costs a start a tenth of a second
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Latchkey',
    swaggerOptions: {
      persistAuthorization: false,
      displayRequestDuration: true,
      tagsSorter: undefined,
      queryConfigEnabled: false,
      validatorUrl: null,
    },
  });
}

/** The OpenAPI document of the service. */
export function openApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Latchkey')
    .setVersion('1')
    .setDescription(apiDescription)
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'A person: user name and password.' }, 'person')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'A person: a JWT of the company’s OpenID Connect provider.',
      },
      'oidc',
    )
    .addBasicAuth(
      { type: 'http', scheme: 'basic', description: 'A client: its `clientId` and `clientSecret`.' },
      'client',
    )
    .addBasicAuth(
      { type: 'http', scheme: 'basic', description: 'A resource server: its `id` and `resourceServerSecret`.' },
      'resourceServer',
    )
    .build();
  return SwaggerModule.createDocument(app, builder);
}
