"""Read models in MongoDB: a collection each, readable in mongosh, validated by `$jsonSchema`."""
