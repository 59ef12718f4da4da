// ReadProperties.java: reads properties files as a Connect worker does (java.util.Properties, a stream of bytes) and prints each line as
// FILE HEX(name) HEX(value), UTF-8, sorted. usage: java ReadProperties.java FILE.properties...
import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Properties;
import java.util.TreeSet;

public class ReadProperties {
    private static String hex(String s) {
        return HexFormat.of().formatHex(s.getBytes(StandardCharsets.UTF_8));
    }

    public static void main(String[] files) throws Exception {
        for (String file : files) {
            Properties p = new Properties();
            try (InputStream in = new FileInputStream(file)) {
                p.load(in);
            }
            TreeSet<String> lines = new TreeSet<>();
            for (String name : p.stringPropertyNames())
                lines.add(file + " " + hex(name) + " " + hex(p.getProperty(name)));
            lines.forEach(System.out::println);
        }
    }
}
