// A client nobody here wrote, discord.js, against the simulated Discord: it logs in, registers a command, posts, edits, gets
// interactions of every kind, pins, opens a thread, is limited, and resumes after its connection is dropped.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  ActionRowBuilder, AttachmentBuilder, ButtonBuilder, ButtonStyle, Client, EmbedBuilder, Events, GatewayIntentBits, MessageFlags, ModalBuilder,
  SlashCommandBuilder, StringSelectMenuBuilder, TextInputBuilder, TextInputStyle,
} from 'discord.js';
import { start } from './world.mjs';

const sandbox = await start(process.argv[2], []);
const control = async (path, body) => {
  const answer = await fetch(`${sandbox.page}control/${path}`, body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return answer.json();
};
const act = (what) => control('act', { who: 'ann', channel: 'general', ...what });
const client = new Client({ intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages], rest: { api: `${sandbox.discord_api}/api` } });
const trouble = [];
client.on(Events.Error, (error) => trouble.push(error));
client.on(Events.Warn, (words) => trouble.push(words));
let resumed = 0;
client.on(Events.ShardResume, () => { resumed += 1; });

client.on(Events.InteractionCreate, async (interaction) => {
  try {
    if (interaction.isAutocomplete()) {
      await interaction.respond([{ name: `${interaction.options.getFocused()}!`, value: 'loud' }]);
    } else if (interaction.isChatInputCommand()) {
      if (interaction.options.getBoolean('slow')) {
        await interaction.deferReply({ flags: MessageFlags.Ephemeral });
        await interaction.editReply(`slowly: ${interaction.options.getString('text')}`);
        return;
      }
      const row = new ActionRowBuilder().addComponents(
        new ButtonBuilder().setCustomId('again').setLabel('Again').setStyle(ButtonStyle.Primary),
        new ButtonBuilder().setCustomId('ask').setLabel('Ask').setStyle(ButtonStyle.Secondary));
      const menu = new ActionRowBuilder().addComponents(
        new StringSelectMenuBuilder().setCustomId('pick').setPlaceholder('Pick').addOptions({ label: 'One', value: '1' }, { label: 'Two', value: '2' }));
      await interaction.reply({ content: `echo: ${interaction.options.getString('text')}`, components: [row, menu] });
      await interaction.followUp({ content: 'and one more', flags: MessageFlags.Ephemeral });
    } else if (interaction.isButton() && interaction.customId === 'again') {
      await interaction.update({ content: 'echo: again' });
    } else if (interaction.isButton()) {
      await interaction.showModal(new ModalBuilder().setCustomId('form').setTitle('A form').addComponents(
        new ActionRowBuilder().addComponents(new TextInputBuilder().setCustomId('words').setLabel('Words').setStyle(TextInputStyle.Short))));
    } else if (interaction.isStringSelectMenu()) {
      await interaction.reply({ content: `picked ${interaction.values[0]}`, flags: MessageFlags.Ephemeral });
    } else if (interaction.isModalSubmit()) {
      await interaction.reply({ content: `form: ${interaction.fields.getTextInputValue('words')}`, flags: MessageFlags.Ephemeral });
    }
  } catch (error) { trouble.push(error); }
});

const texts = async () => (await control('messages?channel=general')).map((message) => message.content);
try {
  await client.login(sandbox.token);
  if (!client.isReady()) await once(client, Events.ClientReady);
  const guild = await client.guilds.fetch(sandbox.guild);
  await guild.commands.set([new SlashCommandBuilder().setName('echo').setDescription('Says it again')
    .addStringOption((o) => o.setName('text').setDescription('What').setRequired(true).setAutocomplete(true))
    .addBooleanOption((o) => o.setName('slow').setDescription('Later'))]);

  const channel = client.channels.cache.find((c) => c.name === 'general');
  const message = await channel.send({ content: 'hello', embeds: [new EmbedBuilder().setTitle('An embed')], files: [new AttachmentBuilder(Buffer.from('words'), { name: 'a.txt' })] });
  assert.equal(message.attachments.first().name, 'a.txt');
  assert.equal((await message.edit('hello, edited')).content, 'hello, edited');
  assert.ok((await channel.messages.fetch({ limit: 10 })).has(message.id));
  await message.pin();
  const thread = await message.startThread({ name: 'a thread' });
  await thread.send('in the thread');
  assert.equal(thread.id, message.id, 'a thread has its message\'s id');
  await assert.rejects(channel.send({ content: 'x'.repeat(2001) }), /Invalid Form Body/);

  assert.deepEqual((await act({ complete: { path: 'echo', option: 'text', typed: 'hey' } })).choices, [['hey!', 'loud']]);
  assert.ok((await act({ slash: { path: 'echo', options: [['text', 'one']] } })).message);
  assert.ok((await act({ press: { label: 'Again' } })).message);
  assert.ok((await texts()).includes('echo: again'), 'the button\'s message was updated');
  const modal = (await act({ press: { label: 'Ask' } })).modal;
  assert.equal(modal.data.title, 'A form');
  assert.ok((await act({ fill: { form: modal.form, values: [['words', 'three']] } })).only);
  const said = (await control('messages?channel=general')).find((m) => m.content === 'echo: again');
  assert.ok((await act({ use: { message: said.id, custom_id: 'pick', values: ['2'] } })).only);
  assert.ok((await act({ slash: { path: 'echo', options: [['text', 'late'], ['slow', 'true']] } })).only);

  // Told of what people say, without the words: the intent for content was not asked for.
  const heard = once(client, Events.MessageCreate);
  await act({ say: { text: 'a person speaks' } });
  const [spoken] = await heard;
  assert.equal(spoken.content, '');

  // Dropped without a word: it resumes, and hears what it missed.
  await control('faults', 'drop_gateway');
  await act({ say: { text: 'said meanwhile' } });
  const again = await act({ slash: { path: 'echo', options: [['text', 'after']] } });
  assert.ok(again.message, 'an interaction of the gap is answered');
  assert.equal(resumed, 1);
  // Closed with a code that lets a client resume.
  await control('faults', { close_gateway: 4000 });
  for (let tries = 0; resumed < 2 && tries < 100; tries++) await new Promise((done) => setTimeout(done, 50));
  assert.equal(resumed, 2);

  // More than the bucket holds: it waits as the headers say, and nothing is lost.
  const begun = performance.now();
  await Promise.all(Array.from({ length: 7 }, (_, n) => channel.send(`burst ${n}`)));
  assert.equal((await texts()).filter((text) => text.startsWith('burst')).length, 7);
  assert.ok(performance.now() - begun > 1000, 'the limit held it back');
  const limited = (await control('requests')).filter((request) => request.status === 429).length;
  const refused = (await control('requests')).filter((request) => request.bad.length).map((request) => request.bad);
  assert.equal(limited, 0, 'and it was never refused for it');
  assert.equal(refused.length, 1, `only the over-long message was against the rules: ${JSON.stringify(refused)}`);
  assert.deepEqual(trouble, []);
  console.log(`discord.js: logged in, registered, posted, edited, pinned, opened a thread, answered ten interactions, resumed ${resumed} times.`);
} finally {
  await client.destroy();
  await sandbox.stop();
}
