import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { commands } from '../../apps/api/src/cli/commands.ts';
import { renderChart } from '../support/helm-chart.ts';
import type { Manifest } from '../support/helm-chart.ts';

interface Container {
  readonly args: readonly string[];
  readonly image: string;
  readonly env: readonly {
    name: string;
    value?: string;
    valueFrom?: { secretKeyRef: { name: string; key: string } };
  }[];
  readonly envFrom?: readonly unknown[];
  readonly readinessProbe?: { httpGet: { path: string } };
  readonly livenessProbe?: { httpGet: { path: string } };
  readonly resources?: unknown;
  readonly volumeMounts?: readonly { name: string }[];
  readonly securityContext: unknown;
}

const values = { publicUrl: 'https://latchkey.example' };

function container(manifests: readonly Manifest[], kind: string): Container {
  const found = manifests.find((manifest) => manifest.kind === kind);
  const spec = found?.['spec'] as { template: { spec: { containers: Container[] } } } | undefined;
  const [only] = spec?.template.spec.containers ?? [];
  if (only === undefined) throw new Error(`the chart has no ${kind}`);
  return only;
}

describe('the Helm chart', () => {
  it('migrates by a Job before each install and upgrade, with a user and a secret of its own', () => {
    const manifests = renderChart(values);
    const job = manifests.find(({ kind }) => kind === 'Job');
    expect(job?.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
    const { args, env, envFrom } = container(manifests, 'Job');
    expect(args).toEqual(['migrate']);
    expect(envFrom).toBeUndefined();
    const secretKeyRef = { name: 'latchkey-migration', key: 'MIGRATION_MONGODB_URI' };
    expect(env).toEqual([{ name: 'MIGRATION_MONGODB_URI', valueFrom: { secretKeyRef } }]);
  });

  it('serves with the service’s own secret, which cannot migrate, and with the probes of docs/operating.md', () => {
    const service = container(renderChart(values), 'Deployment');
    expect(service.args).toEqual(['serve']);
    expect(service.envFrom).toEqual([{ secretRef: { name: 'latchkey' } }]);
    expect(JSON.stringify(service)).not.toContain('MIGRATION');
    expect(service.livenessProbe?.httpGet.path).toBe('/livez');
    expect(service.readinessProbe?.httpGet.path).toBe('/readyz');
    expect(service.resources).toEqual({ requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '768Mi' } });
  });

  it('calls commands that exist, and sets variables that docs/operating.md names', () => {
    const manifests = renderChart({ ...values, secrets: { signingKey: 'key' }, env: { LOG_LEVEL: 'warn' } });
    const page = readFileSync('docs/operating.md', 'utf8');
    for (const kind of ['Job', 'Deployment']) {
      const { args, env } = container(manifests, kind);
      expect(commands.map(({ name }) => name)).toContain(args[0]);
      for (const { name } of env) expect(page).toContain(`\`${name}\``);
    }
    const { env, volumeMounts } = container(manifests, 'Deployment');
    expect(env).toContainEqual({ name: 'LOG_LEVEL', value: 'warn' });
    expect(env).toContainEqual({ name: 'LATCHKEY_SIGNING_KEY_FILE', value: '/run/latchkey/signing-key.pem' });
    expect(volumeMounts?.map(({ name }) => name)).toEqual(['tmp', 'signing-key']);
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
