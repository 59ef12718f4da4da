// Judge.java: what Apache Avro's SchemaCompatibility, which the vendor's registry asks, says of pairs of schemas.
// Reads pairs of lines, reader and writer; writes one line for each: REFUSED, AMBIGUOUS, or the findings as TYPE LOCATION joined by "; ", or nothing.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

public class Judge {
    static String judge(String reader, String writer) {
        Schema r, w;
        try {
            r = new Schema.Parser().parse(reader);
            w = new Schema.Parser().parse(writer);
        } catch (RuntimeException e) {
            return "REFUSED";
        }
        SchemaCompatibility.SchemaPairCompatibility c;
        try {
            c = SchemaCompatibility.checkReaderWriterCompatibility(r, w);
        } catch (RuntimeException e) { // a field that two of the writer's match: the registry takes any exception for incompatible
            return "AMBIGUOUS";
        }
        TreeSet<String> findings = new TreeSet<>();
        for (SchemaCompatibility.Incompatibility i : c.getResult().getIncompatibilities())
            findings.add(i.getType() + " " + i.getLocation());
        return String.join("; ", findings);
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String reader; (reader = in.readLine()) != null; )
            System.out.println(judge(reader, in.readLine()));
    }
}
