import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import tla2sany.semantic.FormalParamNode;
import tla2sany.semantic.OpApplNode;
import tla2sany.semantic.OpDeclNode;
import tla2sany.semantic.SemanticNode;
import tlc2.TLC;
import tlc2.TLCGlobals;
import tlc2.output.EC;
import tlc2.tool.Action;
import tlc2.tool.TLCState;
import tlc2.util.BitVector;
import tlc2.util.Context;
import tlc2.util.IStateWriter;
import tlc2.value.impl.LazyValue;
import util.FileUtil;
import util.SimpleFilenameToStream;

/**
 * Runs TLC and writes its state graph to standard output, one JSON object per line. What TLC itself says goes to standard
 * error. Arguments are those of TLC. Run as a source file: java -cp tla2tools.jar GraphWriter.java -tool ... Spec.tla
 *
 * <pre>
 *   {"format":"keos-graph-1"}                                   first line
 *   {"s":"-4711","init":true,"v":{"x":"0","log":"<<>>"}}        a state; init only for initial states
 *   {"e":["-4711","815"],"a":"Add","p":{"n":"1"}}               an edge with its action and that action's arguments
 *   {"states":2,"edges":1}                                      last line, also after a violation
 * </pre>
 *
 * Values are TLA+ text. States are named by their fingerprint, a signed 64-bit number. With several workers an edge may come
 * before the state it leads to.
 */
public final class GraphWriter implements IStateWriter {
  /** Exit status when this TLC cannot be given a state writer. TLC itself uses no such status. */
  private static final int UNSUPPORTED = 97;

  private final OutputStream out;
  private final Map<Action, Label> labels = new IdentityHashMap<>();
  private long states = 0;
  private long edges = 0;

  private GraphWriter(OutputStream out) {
    this.out = out;
    line("{\"format\":\"keos-graph-1\"}");
  }

  public static void main(String[] args) throws IOException {
    // TLC takes its output stream from here when its classes are loaded, so this must come first.
    System.setOut(System.err);
    try (OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16)) {
      TLC tlc = new TLC();
      if (!tlc.handleParameters(args)) System.exit(1);
      GraphWriter writer = new GraphWriter(out);
      try {
        Field field = TLC.class.getDeclaredField("stateWriter");
        field.setAccessible(true);
        field.set(tlc, writer);
      } catch (ReflectiveOperationException | RuntimeException e) {
        System.err.println("keos: this TLC takes no state writer: " + e);
        System.exit(UNSUPPORTED);
      }
      // TLC.main would do this; it makes modules beside the specification visible.
      String folder = FileUtil.parseDirname(tlc.getMainFile());
      tlc.setResolver(folder.isEmpty() ? new SimpleFilenameToStream() : new SimpleFilenameToStream(folder));
      int status = EC.ExitStatus.errorConstantToExitStatus(tlc.process());
      writer.line("{\"states\":" + writer.states + ",\"edges\":" + writer.edges + "}");
      out.flush();
      System.exit(status);
    }
  }

  // TLC calls one of the two for every initial state and for every successor it generates. All writing is synchronized,
  // because workers share the stream, the counters and the labels.

  @Override
  public synchronized void writeState(TLCState initial) {
    state(initial, true);
  }

  @Override
  public synchronized void writeState(TLCState source, TLCState target, boolean unseen, Action action) {
    if (unseen) state(target, false);
    edges++;
    StringBuilder json = new StringBuilder(128);
    json.append("{\"e\":[\"").append(source.fingerPrint()).append("\",\"").append(target.fingerPrint()).append("\"],\"a\":");
    if (action == null) {
      line(json.append("\"\",\"p\":{}}").toString());
      return;
    }
    Label label = labels.computeIfAbsent(action, Label::new);
    line(json.append(label.name).append(",\"p\":").append(label.arguments(source)).append('}').toString());
  }

  private void state(TLCState state, boolean initial) {
    states++;
    StringBuilder json = new StringBuilder(512);
    json.append("{\"s\":\"").append(state.fingerPrint()).append('"');
    if (initial) json.append(",\"init\":true");
    json.append(",\"v\":{");
    char separator = 0;
    for (OpDeclNode variable : state.getVars()) {
      if (separator != 0) json.append(separator);
      quote(json, variable.getName().toString());
      json.append(':');
      quote(json, String.valueOf(state.lookup(variable.getName())));
      separator = ',';
    }
    line(json.append("}}").toString());
  }

  // The remaining forms draw pictures: stuttering steps, liveness bits. They add nothing to the graph of states and steps.

  @Override
  public void writeState(TLCState source, TLCState target, boolean unseen) {
    writeState(source, target, unseen, (Action) null);
  }

  @Override
  public void writeState(TLCState source, TLCState target, boolean unseen, Visualization visualization) {
    if (visualization == Visualization.DEFAULT) writeState(source, target, unseen, (Action) null);
  }

  @Override
  public void writeState(TLCState source, TLCState target, BitVector checks, int from, int length, boolean unseen) {
    writeState(source, target, unseen, (Action) null);
  }

  @Override
  public void writeState(
      TLCState source, TLCState target, BitVector checks, int from, int length, boolean unseen, Visualization visualization) {
    writeState(source, target, unseen, visualization);
  }

  @Override
  public void close() {
    // TLC closes the writer before it reports; main flushes when everything is said.
  }

  @Override
  public String getDumpFileName() {
    return null;
  }

  @Override
  public boolean isNoop() {
    return false;
  }

  @Override
  public boolean isDot() {
    return false;
  }

  @Override
  public void snapshot() {}

  /** Name and arguments of an action as TLC split it off Next; the texts are made once. */
  private static final class Label {
    final String name;
    private final String constant;
    private final List<Lazy> lazies = new ArrayList<>();

    Label(Action action) {
      StringBuilder quoted = new StringBuilder();
      quote(quoted, action.getName().toString());
      name = quoted.toString();
      StringBuilder json = new StringBuilder();
      FormalParamNode[] parameters = action.getOpDef() == null ? null : action.getOpDef().getParams();
      for (int i = 0; parameters != null && i < parameters.length; i++) {
        StringBuilder key = new StringBuilder();
        quote(key, parameters[i].getName().toString());
        Object bound = action.con.lookup(parameters[i], true);
        if (bound instanceof LazyValue && ((LazyValue) bound).getValue() != null) bound = ((LazyValue) bound).getValue();
        if (bound instanceof LazyValue) {
          lazies.add(new Lazy(key.toString(), ((LazyValue) bound).expr, ((LazyValue) bound).con));
        } else if (bound != null) {
          if (json.length() > 0) json.append(',');
          quote(json.append(key).append(':'), String.valueOf(bound));
        } else if (action.pred instanceof OpApplNode && ((OpApplNode) action.pred).getOperator() == action.getOpDef()) {
          // TLC binds parameters only while all arguments are constant; otherwise the action is the whole application.
          lazies.add(new Lazy(key.toString(), ((OpApplNode) action.pred).getArgs()[i], action.con));
        }
      }
      constant = json.toString();
    }

    String arguments(TLCState source) {
      if (lazies.isEmpty()) return "{" + constant + "}";
      StringBuilder json = new StringBuilder(constant);
      for (Lazy lazy : lazies) {
        if (json.length() > 0) json.append(',');
        // An argument that mentions variables, as in Receive(Head(queue)), has its value in the state the step starts from.
        Object value = TLCGlobals.mainChecker.tool.eval(lazy.expression, lazy.context, source);
        quote(json.append(lazy.key).append(':'), String.valueOf(value));
      }
      return "{" + json + "}";
    }
  }

  /** An argument that is evaluated for every edge. */
  private static final class Lazy {
    final String key;
    final SemanticNode expression;
    final Context context;

    Lazy(String key, SemanticNode expression, Context context) {
      this.key = key;
      this.expression = expression;
      this.context = context;
    }
  }

  private void line(String json) {
    try {
      out.write(json.getBytes(StandardCharsets.UTF_8));
      out.write('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void quote(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') json.append('\\').append(c);
      else if (c == '\n') json.append("\\n");
      else if (c < ' ') json.append(String.format("\\u%04x", (int) c));
      else json.append(c);
    }
    json.append('"');
  }
}
