using System.Text.Json;
using System.Text.Json.Nodes;
using Moat.Runtime;

namespace Runsc.Commands;

/// <summary>Docker's daemon.json: adds and removes a runtime and keeps everything else. The file as it was is kept beside it with the ending .bak.</summary>
internal sealed class DockerConfig
{
    private readonly string _path;
    private readonly JsonObject _document;

    private DockerConfig(string path, JsonObject document)
    {
        _path = path;
        _document = document;
    }

    /// <summary>Reads the file; one that does not exist is empty.</summary>
    public static DockerConfig Load(string path)
    {
        if (!File.Exists(path))
        {
            return new DockerConfig(path, []);
        }

        try
        {
            string text = File.ReadAllText(path);
            return JsonNode.Parse(text.Trim().Length == 0 ? "{}" : text) is JsonObject document ? new DockerConfig(path, document) : throw new RuntimeException($"{path}: must be an object");
        }
        catch (JsonException e)
        {
            throw new RuntimeException($"{path}: is not valid JSON (line {e.LineNumber + 1})", e);
        }
    }

    /// <summary>Adds a runtime.</summary>
    /// <param name="name">Its name in Docker.</param>
    /// <param name="program">The executable's path.</param>
    /// <param name="arguments">Flags that Docker passes.</param>
    /// <param name="replace">Whether one with the name may be replaced.</param>
    public void AddRuntime(string name, string program, IReadOnlyList<string> arguments, bool replace)
    {
        JsonObject runtimes = Runtimes();
        if (runtimes.ContainsKey(name) && !replace)
        {
            throw new RuntimeException($"{_path}: there is a runtime with the name {name} already");
        }

        JsonObject runtime = new() { ["path"] = program };
        if (arguments.Count > 0)
        {
            runtime["runtimeArgs"] = new JsonArray([.. arguments.Select(static argument => (JsonNode)argument)]);
        }

        runtimes[name] = runtime;
    }

    /// <summary>Removes a runtime.</summary>
    public void RemoveRuntime(string name)
    {
        JsonObject runtimes = Runtimes();
        if (!runtimes.Remove(name))
        {
            throw new RuntimeException($"{_path}: there is no runtime with the name {name}");
        }

        if (runtimes.Count == 0)
        {
            _document.Remove("runtimes");
        }
    }

    /// <summary>Writes the file in one step, after a copy of the old one.</summary>
    public void Save()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        if (File.Exists(_path))
        {
            File.Copy(_path, _path + ".bak", overwrite: true);
        }

        string temporary = _path + ".new";
        File.WriteAllText(temporary, Text() + "\n");
        File.Move(temporary, _path, overwrite: true);
    }

    private string Text()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true }))
        {
            _document.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private JsonObject Runtimes()
    {
        if (_document["runtimes"] is null)
        {
            _document["runtimes"] = new JsonObject();
        }

        return _document["runtimes"] as JsonObject ?? throw new RuntimeException($"{_path}: runtimes: must be an object");
    }
}
