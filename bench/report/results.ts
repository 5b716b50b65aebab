import { readFileSync } from 'node:fs';
import { describeMachine } from '../machine.ts';
import { median } from '../statistics.ts';
import type { Measured } from './measured.ts';
import { deletionTable, goalTable, loadTables, processTable, pruneTable } from './tables.ts';

/** Further content of the results. */
export interface Circumstances {
  /** The checkout that was measured. */
  readonly root: string;
  readonly command: string;
  /** MongoDB, or its stand-in. */
  readonly store: string;
  /** The commit, and whether there were uncommitted changes. */
  readonly commit: string;
}

const PACKAGES = ['oidc-provider', '@node-oauth/oauth2-server', 'fastify', '@nestjs/core', 'mongoose', 'ioredis'];

/** The results as a page. `notes` is the existing text under "Notes", which is kept. */
export function resultsPage(measured: Measured, circumstances: Circumstances, notes: string): string {
  const { root, command, store, commit } = circumstances;
  const versions = PACKAGES.map((name) => `${name} ${versionOf(root, name)}`).join(', ');
  const busy = median(measured.load.map(({ busyShare }) => busyShare));
  const parts = [
    '# Results of the benchmark',
    'Written by `npm run bench`; how it measures, and what it does not say: README.md.',
    [
      `- Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${commit}`,
      `- Machine: ${describeMachine()}; ${busy.toFixed(1)} cores busy during the runs, all processes together`,
      `- Node ${process.versions.node}; ${versions}`,
      `- Latchkey's store: ${store}`,
      `- Command: \`${command}\``,
    ].join('\n'),
    `## Goals\n\n${goalTable(measured)}`,
    ...section('Under load', measured.load, () => loadTables(measured)),
    ...section('A deleted client', measured.deletions, () => deletionTable(measured)),
    ...section('Memory and start', [...measured.load, ...measured.starts], () => processTable(measured)),
    ...section('Pruning', measured.prunings, () => pruneTable(measured)),
    `${NOTES_HEADING}\n\n${notes === '' ? 'None.' : notes}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(title: string, rows: readonly unknown[], table: () => string): string[] {
  return rows.length === 0 ? [] : [`## ${title}\n\n${table()}`];
}

const NOTES_HEADING = '## Notes';

/** The notes on an earlier page: they are written by hand and outlive a new run. */
export function notesOf(page: string): string {
  const at = page.indexOf(`${NOTES_HEADING}\n`);
  return at < 0 ? '' : page.slice(at + NOTES_HEADING.length).trim();
}

function versionOf(root: string, name: string): string {
  const { version } = JSON.parse(readFileSync(`${root}/node_modules/${name}/package.json`, 'utf8')) as {
    version: string;
  };
  return version;
}
