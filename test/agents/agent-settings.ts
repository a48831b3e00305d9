/** How the real coding agents are started on a scripted model, with a home of their own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentSettings } from '../../local-agent/config/agent-settings.ts';
import { AgentSettingsSchema } from '../../local-agent/config/agent-settings.ts';
import type { ModelServer } from './models/model-server.ts';

export function codexSettings(command: string, home: string, { url }: ModelServer): AgentSettings {
  const codexHome = join(home, 'codex');
  mkdirSync(codexHome, { recursive: true });
  const limits = 'request_max_retries = 1\nstream_max_retries = 1\nstream_idle_timeout_ms = 20000';
  writeFileSync(
    join(codexHome, 'config.toml'),
    `model = "gpt-5.5"\nmodel_provider = "fake"\ncheck_for_update_on_startup = false\nweb_search = "disabled"
[analytics]\nenabled = false\n[feedback]\nenabled = false
[model_providers.fake]\nname = "fake"\nbase_url = "${url}/v1"\nwire_api = "responses"\nrequires_openai_auth = false\n${limits}\n`,
  );
  const args = ['--dangerously-bypass-approvals-and-sandbox', '--disable', 'plugins'];
  return AgentSettingsSchema.parse({ command, args, dialect: 'codex', env: { CODEX_HOME: codexHome, HOME: home } });
}

export function claudeSettings(command: string, home: string, { url }: ModelServer): AgentSettings {
  const env = {
    HOME: home,
    CLAUDE_CONFIG_DIR: join(home, 'claude'),
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-ant-fake',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
  };
  return AgentSettingsSchema.parse({ command, dialect: 'claude', env });
}
