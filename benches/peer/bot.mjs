// The same work as a sign-off of T-Minus, by a bot as one would write it with discord.js and better-sqlite3: a durable record, then the
// answer, then a post and an edit. Usage: node bot.mjs API_URL TOKEN GUILD CHANNEL DATABASE
import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { Client, EmbedBuilder, Events, GatewayIntentBits, MessageFlags, SlashCommandBuilder } from 'discord.js';

const [api, token, guildId, channelId, file] = process.argv.slice(2);
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE release (no TEXT PRIMARY KEY, state TEXT NOT NULL, version INTEGER NOT NULL);
  CREATE TABLE journal (seq INTEGER PRIMARY KEY, no TEXT NOT NULL, entry TEXT NOT NULL, hash TEXT NOT NULL);
  CREATE TABLE inbox (id TEXT PRIMARY KEY);
  CREATE TABLE outbox (id INTEGER PRIMARY KEY, payload TEXT NOT NULL, message TEXT);
`);
const seen = db.prepare('INSERT INTO inbox (id) VALUES (?) ON CONFLICT DO NOTHING');
const load = db.prepare('SELECT state, version FROM release WHERE no = ?');
const save = db.prepare('INSERT INTO release (no, state, version) VALUES (?, ?, 1) ON CONFLICT (no) DO UPDATE SET state = excluded.state, version = version + 1');
const newest = db.prepare('SELECT hash FROM journal ORDER BY seq DESC LIMIT 1');
const append = db.prepare('INSERT INTO journal (no, entry, hash) VALUES (?, ?, ?)');
const enqueue = db.prepare('INSERT INTO outbox (payload) VALUES (?)');
const posted = db.prepare('UPDATE outbox SET message = ? WHERE id = ?');

/** Records a sign-off, once; the row of the message that tells of it. */
const sign = db.transaction((id, no, role, who, signed) => {
  if (seen.run(id).changes === 0) return null;
  const state = JSON.parse(load.get(no)?.state ?? '{"signoffs":{}}');
  if (signed) state.signoffs[role] = { who, at: Date.now() }; else delete state.signoffs[role];
  const entry = JSON.stringify({ v: 1, at: Date.now(), by: who, signoff: { role, signed } });
  const hash = createHash('sha256').update(newest.get()?.hash ?? '').update(entry).digest('hex');
  append.run(no, entry, hash);
  save.run(no, JSON.stringify(state));
  const words = `${signed ? 'Signed' : 'Withdrawn'}: ${role} by ${who} for ${no}`;
  return { row: enqueue.run(JSON.stringify({ words })).lastInsertRowid, words, state };
});

const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: `${api}/api`, globalRequestsPerSecond: 100_000 } });
const cards = new Map();
const embed = (title, words) => ({ embeds: [new EmbedBuilder().setTitle(title).setDescription(words)] });

client.on(Events.InteractionCreate, async (interaction) => {
  try {
    if (!interaction.isChatInputCommand()) return;
    const [no, role] = ['release', 'role'].map((name) => interaction.options.getString(name));
    const signed = interaction.options.getSubcommand() === 'give';
    const done = sign(interaction.id, no, role, interaction.user.id, signed);
    if (!done) return;
    await interaction.reply({ ...embed(`✅ ${done.words}`, 'Recorded.'), flags: MessageFlags.Ephemeral });
    const channel = await client.channels.fetch(channelId);
    const message = await channel.send(embed(done.words, no));
    posted.run(message.id, done.row);
    const card = cards.get(no) ?? message;
    cards.set(no, card);
    await card.edit(embed(`Release ${no}`, JSON.stringify(done.state.signoffs)));
  } catch (error) { console.error(error); }
});

await client.login(token);
const option = (name) => (o) => o.setName(name).setDescription(name).setRequired(true);
const guild = await client.guilds.fetch(guildId);
await guild.commands.set([new SlashCommandBuilder().setName('release').setDescription('Releases').addSubcommandGroup((group) =>
  group.setName('signoff').setDescription('Sign-offs')
    .addSubcommand((sub) => sub.setName('give').setDescription('Sign').addStringOption(option('role')).addStringOption(option('release')))
    .addSubcommand((sub) => sub.setName('withdraw').setDescription('Withdraw').addStringOption(option('role')).addStringOption(option('release'))))]);
