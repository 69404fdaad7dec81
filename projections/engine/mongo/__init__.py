"""Read models in MongoDB: one collection each, readable in mongosh, validated by `$jsonSchema`."""
