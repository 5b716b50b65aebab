import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parse } from 'yaml';
import { commands } from '../../apps/api/src/cli/commands.ts';
import { SECRET_VARIABLES } from '../../libs/config/secret-files.ts';
import { renderChart } from '../support/helm-chart.ts';
import type { Manifest } from '../support/helm-chart.ts';

interface Container {
  readonly args: readonly string[];
  readonly image: string;
  readonly env: readonly { name: string; value: string; valueFrom?: unknown }[];
  readonly envFrom?: unknown;
  readonly readinessProbe?: { httpGet: { path: string } };
  readonly livenessProbe?: { httpGet: { path: string } };
  readonly resources?: unknown;
  readonly volumeMounts: readonly { name: string; mountPath: string; readOnly?: boolean }[];
  readonly securityContext: unknown;
}

const VALUES = 'deploy/helm/latchkey/values.yaml';
const values = { publicUrl: 'https://latchkey.example' };

interface Pod {
  readonly containers: readonly Container[];
  readonly securityContext: { readonly runAsUser: number; readonly fsGroup: number };
  readonly volumes: readonly { name: string; secret?: { secretName: string; defaultMode: number } }[];
}

function pod(manifests: readonly Manifest[], kind: string): Pod {
  const found = manifests.find((manifest) => manifest.kind === kind);
  const spec = found?.['spec'] as { template: { spec: Pod } } | undefined;
  if (spec === undefined) throw new Error(`the chart has no ${kind}`);
  return spec.template.spec;
}

function container(manifests: readonly Manifest[], kind: string): Container {
  const [only] = pod(manifests, kind).containers;
  if (only === undefined) throw new Error(`the ${kind} has no container`);
  return only;
}

/** The variables that are read from files, with the secret and key that each file shows. */
function secretFiles(manifests: readonly Manifest[], kind: string): Record<string, string> {
  const { volumes } = pod(manifests, kind);
  const { env, volumeMounts } = container(manifests, kind);
  const files = env.filter(({ name }) => name.endsWith('_FILE'));
  return Object.fromEntries(
    files.map(({ name, value }) => {
      const mount = volumeMounts.find(({ mountPath }) => dirname(value) === mountPath);
      const volume = volumes.find((one) => one.name === mount?.name);
      return [name, `${volume?.secret?.secretName ?? 'no secret'}/${basename(value)}`];
    }),
  );
}

describe('the Helm chart', () => {
  it('migrates by a Job before each install and upgrade, with a user and a secret of its own', () => {
    const manifests = renderChart(values);
    const job = manifests.find(({ kind }) => kind === 'Job');
    expect(job?.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
    const { args, env } = container(manifests, 'Job');
    expect(args).toEqual(['migrate']);
    expect(env).toHaveLength(1);
    expect(secretFiles(manifests, 'Job')).toEqual({
      MIGRATION_MONGODB_URI_FILE: 'latchkey-migration/MIGRATION_MONGODB_URI',
    });
  });

  it('serves with the service’s own secret, which cannot migrate, and with the probes of docs/operating.md', () => {
    const service = container(renderChart(values), 'Deployment');
    expect(service.args).toEqual(['serve']);
    expect(JSON.stringify(service)).not.toContain('MIGRATION');
    expect(service.livenessProbe?.httpGet.path).toBe('/livez');
    expect(service.readinessProbe?.httpGet.path).toBe('/readyz');
    expect(service.resources).toEqual({ requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '768Mi' } });
  });

  it('mounts each secret as a read-only file for the service’s user, and puts none into the environment', () => {
    const secrets = { signingKey: 'latchkey-signing', files: ['MONGODB_URI', 'REDIS_URL', 'OIDC_CLIENT_SECRET'] };
    const manifests = renderChart({ ...values, secrets });
    expect(secretFiles(manifests, 'Deployment')).toEqual({
      MONGODB_URI_FILE: 'latchkey/MONGODB_URI',
      REDIS_URL_FILE: 'latchkey/REDIS_URL',
      OIDC_CLIENT_SECRET_FILE: 'latchkey/OIDC_CLIENT_SECRET',
      LATCHKEY_ADMIN_PASSWORD_FILE: 'latchkey/LATCHKEY_ADMIN_PASSWORD',
      LATCHKEY_SIGNING_KEY_FILE: 'latchkey-signing/signing-key.pem',
    });
    for (const kind of ['Job', 'Deployment']) {
      const { securityContext, volumes } = pod(manifests, kind);
      expect(securityContext.fsGroup).toBe(securityContext.runAsUser);
      const { env, envFrom, volumeMounts } = container(manifests, kind);
      expect([envFrom, env.filter(({ valueFrom }) => valueFrom !== undefined)]).toEqual([undefined, []]);
      for (const { name, secret } of volumes) {
        if (secret === undefined) continue;
        expect(secret.defaultMode).toBe(0o440);
        expect(volumeMounts.find((mount) => mount.name === name)?.readOnly).toBe(true);
      }
    }
  });

  it('reads only those variables from files that the service reads from files', () => {
    for (const name of (parse(readFileSync(VALUES, 'utf8')) as { secrets: { files: string[] } }).secrets.files) {
      expect(SECRET_VARIABLES).toContain(name);
    }
    const comments: readonly string[] = readFileSync(VALUES, 'utf8').match(/[A-Z]+(_[A-Z]+)+/g) ?? [];
    const described = new Set(comments);
    expect(SECRET_VARIABLES.filter((name) => !described.has(name))).toEqual([]);
  });

  it('gives no first administrator once firstAdmin is empty', () => {
    const env = container(renderChart({ ...values, firstAdmin: '' }), 'Deployment').env.map(({ name }) => name);
    expect(env.filter((name) => name.startsWith('LATCHKEY_ADMIN'))).toEqual([]);
  });

  it('calls commands that exist, and sets variables that docs/operating.md names', () => {
    const manifests = renderChart({ ...values, secrets: { signingKey: 'key' }, env: { LOG_LEVEL: 'warn' } });
    const page = readFileSync('docs/operating.md', 'utf8');
    for (const kind of ['Job', 'Deployment']) {
      const { args, env } = container(manifests, kind);
      expect(commands.map(({ name }) => name)).toContain(args[0]);
      const known = (name: string): boolean =>
        SECRET_VARIABLES.some((secret) => name === `${secret}_FILE` && page.includes(`\`${secret}\``));
      for (const { name } of env) expect([name, known(name) || page.includes(`\`${name}\``)]).toEqual([name, true]);
    }
    const { env, volumeMounts } = container(manifests, 'Deployment');
    expect(env).toContainEqual({ name: 'LOG_LEVEL', value: 'warn' });
    expect(env).toContainEqual({ name: 'LATCHKEY_SIGNING_KEY_FILE', value: '/run/latchkey/signing/signing-key.pem' });
    expect(volumeMounts.map(({ name }) => name)).toEqual(['tmp', 'secrets', 'signing-key']);
  });

  it('runs as an ordinary user with a read-only file system, and takes the image of the release', () => {
    const manifests = renderChart({ ...values, image: { repository: 'registry.example/latchkey' } });
    for (const kind of ['Job', 'Deployment']) {
      const { image, securityContext } = container(manifests, kind);
      expect(image).toBe('registry.example/latchkey:0.1.0');
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('refuses to be installed without the issuer', () => {
    expect(() => renderChart({})).toThrow('publicUrl is required');
  });

  it('has the version of the project', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(readFileSync('deploy/helm/latchkey/Chart.yaml', 'utf8')).toContain(`appVersion: ${version}\n`);
  });
});
