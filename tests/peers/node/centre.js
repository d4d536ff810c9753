// A message centre made with node's smpp, for tests/peers/test_node.py.
//
// It listens at a free port of 127.0.0.1 and tells it in its first line. What it sees it prints, a JSON object a line;
// what it is to do it reads from its input, a JSON object a line:
//
//   {"deliver": {…}}     sends a deliver_sm with these fields to who is bound; prints its answer
//   {"enquire": true}    sends enquire_link; prints its answer
//   {"unbind": true}     sends unbind; prints its answer
//
// Accounts: esme1 / password. Every submit_sm is accepted with a number as its id, in hexadecimal; if it asks for a
// receipt, one follows with the same number in decimal. A text "throttle" is refused with 0x58, "refuse" with 0x45.
//
// What was accepted is delivered, state 2. A text "state 3" gets no receipt and has state 3; with 1 it is on its way,
// with 0 the centre has none of these operations: one is asked for (query_sm), changed (replace_sm) and taken back
// (cancel_sm, its state is 4 then) by its id as it was written and by its sender, the last two while it is on its way.

const smpp = require("smpp");
const readline = require("readline");

let sessions = [];
let last = 0x2f00;
const kept = new Map();
const ON_ITS_WAY = 1, DELIVERED = 2, DELETED = 4;

const tell = (seen) => process.stdout.write(JSON.stringify(seen) + "\n");
const textOf = (pdu) => {
  const text = pdu.short_message && pdu.short_message.message;
  const payload = pdu.message_payload && pdu.message_payload.message;
  return text && text.length ? String(text) : payload ? String(payload) : "";
};

function submitted(session, pdu) {
  const text = textOf(pdu);
  const udh = pdu.short_message && pdu.short_message.udh;
  tell({
    saw: "submit_sm", source: pdu.source_addr, source_ton: pdu.source_addr_ton, destination: pdu.destination_addr,
    text: text, data_coding: pdu.data_coding, udh: udh ? udh.map((one) => one.toString("hex")) : [],
    total: pdu.sar_total_segments || 0, part: pdu.sar_segment_seqnum || 0, validity: String(pdu.validity_period || ""),
  });
  if (text === "throttle" || text === "refuse") {
    const status = text === "throttle" ? smpp.ESME_RTHROTTLED : smpp.ESME_RSUBMITFAIL;
    session.send(pdu.response({ command_status: status }));
    return;
  }
  const number = ++last;
  const told = /^state (\d)/.exec(text);
  kept.set(number.toString(16), { submit: pdu, state: told ? Number(told[1]) : DELIVERED });
  session.send(pdu.response({ message_id: number.toString(16) }));
  if (!told && pdu.registered_delivery & 1) {
    const stat = "id:" + number + " sub:001 dlvrd:001 submit date:2611240810 done date:2611240811 stat:DELIVRD err:000 text:";
    session.deliver_sm(
      { source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4, short_message: stat },
      (answer) => tell({ saw: "receipt answer", status: answer.command_status }));
  }
}

// All that was read but the frame itself; octets in hexadecimal.
function fieldsOf(pdu) {
  const written = (value) => (Buffer.isBuffer(value) ? value.toString("hex") : value);
  const read = Object.entries(pdu).filter(([name]) => !name.startsWith("command") && name !== "sequence_number");
  return Object.fromEntries(read.map(([name, value]) => [name, written(value)]));
}

// A query_sm, cancel_sm or replace_sm: `no` is its status where it is in vain, `yes` tells what else is answered.
function spokenOf(session, pdu, no, yes) {
  tell({ saw: pdu.command, fields: fieldsOf(pdu) });
  const sender = ["source_addr_ton", "source_addr_npi", "source_addr"];
  const one = kept.get(pdu.message_id);
  const isNamed = one && sender.every((name) => pdu[name] === one.submit[name]);
  if (isNamed && !one.state) return session.send(pdu.response({ command_status: smpp.ESME_RINVCMDID }));
  return session.send(pdu.response((isNamed && yes(one, pdu)) || { command_status: no }));
}

const asked = (one, pdu) => ({
  message_id: pdu.message_id, message_state: one.state, error_code: one.state > DELETED ? 7 : 0,
  final_date: one.state === ON_ITS_WAY ? "" : new Date(Date.UTC(2026, 10, 24, 8, 10)),
});
const changed = (one) => one.state === ON_ITS_WAY && {};
const takenBack = (one) => {
  if (one.state !== ON_ITS_WAY) return false;
  one.state = DELETED;
  return {};
};

const server = smpp.createServer((session) => {
  const bind = (pdu) => {
    const good = pdu.system_id === "esme1" && pdu.password === "password";
    tell({ saw: pdu.command, good: good, version: pdu.interface_version });
    if (!good) {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }), null, () => session.close());
      return;
    }
    session.send(pdu.response({ system_id: "node", sc_interface_version: 0x34 }));
    sessions.push(session);
  };
  for (const kind of ["bind_receiver", "bind_transmitter", "bind_transceiver"]) session.on(kind, bind);
  session.on("submit_sm", (pdu) => submitted(session, pdu));
  session.on("query_sm", (pdu) => spokenOf(session, pdu, smpp.ESME_RQUERYFAIL, asked));
  session.on("replace_sm", (pdu) => spokenOf(session, pdu, smpp.ESME_RREPLACEFAIL, changed));
  session.on("cancel_sm", (pdu) => spokenOf(session, pdu, smpp.ESME_RCANCELFAIL, takenBack));
  session.on("enquire_link", (pdu) => { tell({ saw: "enquire_link" }); session.send(pdu.response()); });
  session.on("unbind", (pdu) => {
    tell({ saw: "unbind" });
    session.send(pdu.response(), null, () => session.close());
  });
  session.on("unknown", (pdu) => tell({ saw: "unknown", id: pdu.command_id }));
  session.on("error", (error) => tell({ saw: "error", text: String(error) }));
  session.on("close", () => {
    sessions = sessions.filter((one) => one !== session);
    tell({ saw: "close" });
  });
});

server.listen(0, "127.0.0.1", () => tell({ port: server.address().port }));

readline.createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    for (const session of sessions) {
      if (order.deliver) {
        const udh = order.deliver.udh;
        const fields = Object.assign({}, order.deliver);
        if (udh) {
          fields.short_message = { udh: Buffer.from(udh, "hex"), message: fields.short_message };
          fields.esm_class = 0x40;
          delete fields.udh;
        }
        session.deliver_sm(fields, (answer) => tell({ saw: "deliver answer", status: answer.command_status }));
      } else if (order.enquire) {
        session.enquire_link((answer) => tell({ saw: "enquire answer", status: answer.command_status }));
      } else if (order.unbind) {
        session.unbind((answer) => { tell({ saw: "unbind answer", status: answer.command_status }); session.close(); });
      }
    }
  })
  .on("close", () => process.exit(0));
