// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools one after the other in one process, as starting a JVM for each takes longer than the tool. A line of input
 * is a call: class, standard input, and arguments, each as Base64 and separated by blanks; the answer is the exit code, output and errors.
 */
public final class Tools {
    /** Thrown instead of ending the process. Some tools catch it and complain: only the first call counts, and nothing said after it. */
    private static final class Exited extends RuntimeException {}

    private static Integer exitCode;

    /** What a process of its own would do at its end: the console producer sends its last records there. */
    private static final ConcurrentLinkedQueue<Runnable> atExit = new ConcurrentLinkedQueue<>();

    private static void exit(int code, String message) {
        if (exitCode == null) {
            exitCode = code;
            PrintStream nowhere = new PrintStream(java.io.OutputStream.nullOutputStream());
            System.setOut(nowhere);
            System.setErr(nowhere);
        }
        throw new Exited();
    }

    private static String decoded(String word) {
        return new String(Base64.getDecoder().decode(word), StandardCharsets.UTF_8);
    }

    private static String encoded(ByteArrayOutputStream bytes) {
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    private static int call(String name, String[] arguments) throws Exception {
        exitCode = null;
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException why) {
            if (exitCode == null) {
                why.getCause().printStackTrace();
                return 1;
            }
        } finally {
            for (Runnable last = atExit.poll(); last != null; last = atExit.poll()) {
                last.run();
            }
        }
        return exitCode == null ? 0 : exitCode;
    }

    public static void main(String[] ignored) throws Exception {
        PrintStream out = System.out;
        PrintStream err = System.err;
        Exit.setExitProcedure(Tools::exit);
        Exit.setHaltProcedure(Tools::exit);
        Exit.setShutdownHookAdder((name, hook) -> atExit.add(hook));
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = calls.readLine(); line != null; line = calls.readLine()) {
            String[] words = Arrays.stream(line.split(" ", -1)).map(Tools::decoded).toArray(String[]::new);
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            ByteArrayOutputStream complained = new ByteArrayOutputStream();
            System.setIn(new ByteArrayInputStream(words[1].getBytes(StandardCharsets.UTF_8)));
            System.setOut(new PrintStream(said, true));
            System.setErr(new PrintStream(complained, true));
            // Scala's console keeps the stream it first saw, so its output is redirected for the call, too.
            int[] code = new int[1];
            scala.Console.withOut(System.out, () -> scala.Console.withErr(System.err, () -> {
                try {
                    code[0] = call(words[0], Arrays.copyOfRange(words, 2, words.length));
                } catch (Exception why) {
                    why.printStackTrace();
                    code[0] = 1;
                }
                return null;
            }));
            System.setOut(out);
            System.setErr(err);
            out.println(code[0] + " " + encoded(said) + " " + encoded(complained));
            out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private Tools() {}
}
