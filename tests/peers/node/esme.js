// A client made with node's smpp, for tests/peers/test_node_esme.py: node esme.js PORT.
//
// What it sees it prints, a JSON object a line; what it is to do it reads from its input, a JSON object a line:
//
//   {"ask": "bind_transceiver", "fields": {…}}   sends a request of any kind; prints its answer
//
// A deliver_sm is printed and acknowledged.

const smpp = require("smpp");
const readline = require("readline");

const tell = (seen) => process.stdout.write(JSON.stringify(seen) + "\n");
const textOf = (pdu) => (pdu.short_message && pdu.short_message.message ? String(pdu.short_message.message) : "");

const session = smpp.connect({ url: "smpp://127.0.0.1:" + process.argv[2], auto_enquire_link_period: 0 }, () => {
  tell({ saw: "connect" });
});
session.on("deliver_sm", (pdu) => {
  tell({ saw: "deliver_sm", text: textOf(pdu), source: pdu.source_addr, esm_class: pdu.esm_class });
  session.send(pdu.response());
});
session.on("enquire_link", (pdu) => session.send(pdu.response()));
session.on("unbind", (pdu) => {
  tell({ saw: "unbind" });
  session.send(pdu.response(), null, () => session.close());
});
session.on("unknown", (pdu) => tell({ saw: "unknown", id: pdu.command_id }));
session.on("error", (error) => tell({ saw: "error", text: String(error) }));
session.on("close", () => tell({ saw: "close" }));

readline.createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    session.send(new smpp.PDU(order.ask, order.fields || {}), (answer) => tell({
      saw: answer.command, status: answer.command_status,
      system_id: answer.system_id || "", message_id: answer.message_id || "",
      message_state: answer.message_state || 0, error_code: answer.error_code || 0, final_date: answer.final_date || "",
    }));
  })
  .on("close", () => process.exit(0));
